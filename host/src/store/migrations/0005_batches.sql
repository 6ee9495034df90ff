-- What goes out as one message is a batch: each of its deliveries has the number of the first, and that one has the message.
-- None if it is not decided yet how it goes out.
ALTER TABLE deliveries ADD COLUMN batch INTEGER;
UPDATE deliveries SET batch = id WHERE state = 'pending' AND message IS NOT NULL;
-- The sink that was to be told, where another is told instead.
ALTER TABLE deliveries ADD COLUMN meant_for TEXT;
-- 1 if it is dead for no fault: there was no need to tell it.
ALTER TABLE deliveries ADD COLUMN spared INTEGER NOT NULL DEFAULT 0;
