insert into session_closed values ('2026-01-20', '2026-01-20 10:22Z', '0a1b2c3d', 1);
