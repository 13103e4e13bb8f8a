-- Performers some of whose views came from elsewhere and are not grouped yet. Written in the transaction that brings the
-- views, deleted in the one that groups them, both with the performer locked.
CREATE TABLE tattoo.unarranged (
    performer_id uuid PRIMARY KEY REFERENCES catalogue.performers (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- What was imported before may wait for it still.
INSERT INTO tattoo.unarranged (performer_id)
SELECT DISTINCT performer_id FROM tattoo.performer_tattoos WHERE source = 'imported';
