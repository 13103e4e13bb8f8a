CREATE TABLE face.rows (performer_id uuid REFERENCES catalogue.performers (id) ON DELETE CASCADE);
