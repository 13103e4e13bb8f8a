-- Of an accepted image the signals that have something of it: face, tattoo, body. What a source brought is not only
-- images but faces.
ALTER TABLE catalogue.images ADD COLUMN signals text[] NOT NULL DEFAULT '{}';
