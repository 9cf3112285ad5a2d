insert into trading_hours values ('2019-01-01', '2019-12-31', '09:15', '15:30');
