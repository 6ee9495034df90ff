-- When somebody said that they see to the incident; nothing is told of it from then on but its end.
ALTER TABLE incidents ADD COLUMN acknowledged_ms INTEGER;
