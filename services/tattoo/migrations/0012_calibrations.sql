-- Calibrations are of embedders that are used together, not of one: the primary comes first, as in model_sets.
ALTER TABLE tattoo.calibrations
    -- [[name, version], ...]
    ADD COLUMN models jsonb,
    -- What ratios are multiplied by when evidence is fused.
    ADD COLUMN weight real NOT NULL DEFAULT 1 CHECK (weight BETWEEN 0 AND 1),
    -- NULL: what ships is used again.
    ALTER COLUMN parameters DROP NOT NULL;

UPDATE tattoo.calibrations SET models = jsonb_build_array(jsonb_build_array(model, version));

ALTER TABLE tattoo.calibrations
    ALTER COLUMN models SET NOT NULL,
    DROP COLUMN model,
    DROP COLUMN version;

-- The newest of some models counts.
CREATE INDEX idx_calibrations_models ON tattoo.calibrations (models, seq);

-- A hint that saves waiting for the next poll.
CREATE TRIGGER noted_calibration AFTER INSERT OR UPDATE OR DELETE ON tattoo.calibrations
FOR EACH STATEMENT EXECUTE FUNCTION tattoo.note_insert();
