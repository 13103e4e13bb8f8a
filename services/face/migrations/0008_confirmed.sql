-- The owner says that it is the performer's: never quarantined again. Every vector of one face has the same.
ALTER TABLE face.vectors ADD COLUMN is_confirmed boolean NOT NULL DEFAULT false;
