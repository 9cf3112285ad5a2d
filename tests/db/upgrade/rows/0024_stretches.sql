update feed_meta set stretch = 'f00d', place = 'a start, a database, a file';
insert into past_stretch values ('', 1), ('beef', 2);
