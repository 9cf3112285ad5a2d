update source_budget set allowance = 400 where source = 'trendlyne';
