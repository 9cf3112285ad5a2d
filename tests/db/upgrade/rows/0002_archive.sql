insert into raw_payload (source, request, session, received_at, sha256, body, about, part_ends, part_received_at) values
    ('tradingview', 'stream', '2026-01-21', '2026-01-21 03:46Z', '\x03', '\x6162', '{"source": "tradingview"}', '{1,2}', '{2026-01-21 03:45:01Z,2026-01-21 03:45:02Z}');
insert into raw_receipt (payload_id, asked_at, received_at, complete_to)
select max(payload_id), timestamptz '2026-01-21 03:45Z', '2026-01-21 03:46Z', '2026-01-21 03:46Z' from raw_payload;
insert into raw_part (source, session, about, received_at, body, parser_error) values
    ('tradingview', '2026-01-21', '{"chart": "cs_1"}', '2026-01-21 03:47:01Z', '\x61', 'frame: cut');
insert into revision (relation, underlying, symbol, interval_minutes, open_time, replaced, known_at, revised_at) values
    ('candle', 'NIFTY', 'NIFTY', 1, '2026-01-21 03:45Z', '{"close": 25014}', '2026-01-21 03:46:01Z', '2026-01-21 04:00Z');
-- The index has a row of the first, none of the second, and cannot be without rows.
insert into empty_interval values
    ('candle', 'NIFTY260127P25000', 1, '2026-01-21 03:45Z', 'tradingview', '2026-01-21 03:50Z', '2026-01-21 03:55Z'),
    ('candle', 'NIFTY260127P25000', 1, '2026-01-21 03:46Z', 'tradingview', '2026-01-21 03:50Z', null),
    ('candle', 'NIFTY', 1, '2026-01-21 03:46Z', 'tradingview', '2026-01-21 03:50Z', null);
