insert into forming values
    ('NIFTY260127C25000', 1, '2026-01-21 03:47Z', 'NIFTY', 102, 102.25, 102, 102.25, 65, 'tradingview', '2026-01-21 03:47:10Z'),
    ('NIFTY', 1, '2026-01-21 03:47Z', 'NIFTY', 25015, 25016, 25015, 25016, null, 'tradingview', '2026-01-21 03:47:10Z');
