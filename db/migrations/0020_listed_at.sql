-- A played day has one history, however late or fast it is played.

comment on column contract.listed_at is 'when it was first known, UTC, from when on strategies look at it in its first session: the answer that named it first; the session''s open if a source listed it for a session that was over; in recordings, played ones too, the end of its first row''s interval; null if none of them is stored';
