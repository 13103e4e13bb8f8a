-- What the owner says of tattoos, and what searches them by region and words.
ALTER TABLE tattoo.performer_tattoos
    -- The owner has said that the view belongs to its tattoo: it is not moved when views are grouped.
    ADD COLUMN is_pinned boolean NOT NULL DEFAULT false,
    -- First day the tattoo was there, as the owner says; the same in all its views. Null: first_seen_date tells.
    ADD COLUMN known_since date;

DROP TRIGGER noted_update ON tattoo.performer_tattoos;
CREATE TRIGGER noted_update
BEFORE UPDATE OF body_region, first_seen_date, removed_date, known_since, confidence, tattoo_id
ON tattoo.performer_tattoos
FOR EACH ROW WHEN (
    (OLD.body_region, OLD.first_seen_date, OLD.removed_date, OLD.known_since, OLD.confidence, OLD.tattoo_id)
    IS DISTINCT FROM
    (NEW.body_region, NEW.first_seen_date, NEW.removed_date, NEW.known_since, NEW.confidence, NEW.tattoo_id)
) EXECUTE FUNCTION tattoo.note_update();

-- Views that the owner deleted: the same place in the same image is not enrolled again.
CREATE TABLE tattoo.deleted_views (
    performer_id uuid NOT NULL REFERENCES catalogue.performers (id) ON DELETE CASCADE,
    image_hash text NOT NULL CHECK (image_hash ~ '^[0-9a-f]{64}$'),
    -- x, y, width, height in pixels of the upright image.
    box real[] NOT NULL CHECK (cardinality(box) = 4),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (performer_id, image_hash, box)
);

CREATE INDEX idx_tattoos_region ON tattoo.performer_tattoos (body_region, performer_id);
CREATE INDEX idx_region_knowledge_region ON tattoo.region_knowledge (body_region, performer_id);
CREATE INDEX idx_region_knowledge_words ON tattoo.region_knowledge
USING gin (to_tsvector('simple', description)) WHERE description <> '';
