-- As in the other signals. What is fitted of a body is the weight alone: `parameters` is empty, or NULL for what ships.
ALTER TABLE body.calibrations
    -- [[name, version]]
    ADD COLUMN models jsonb,
    -- What ratios are multiplied by when evidence is fused.
    ADD COLUMN weight real NOT NULL DEFAULT 1 CHECK (weight BETWEEN 0 AND 1),
    ALTER COLUMN parameters DROP NOT NULL;

UPDATE body.calibrations SET models = jsonb_build_array(jsonb_build_array(model, version));

ALTER TABLE body.calibrations
    ALTER COLUMN models SET NOT NULL,
    DROP COLUMN model,
    DROP COLUMN version;

-- The newest of a model counts.
CREATE INDEX idx_calibrations_models ON body.calibrations (models, seq);

-- A hint that saves waiting for the next poll.
CREATE TRIGGER noted_calibration AFTER INSERT OR UPDATE OR DELETE ON body.calibrations
FOR EACH STATEMENT EXECUTE FUNCTION body.note_insert();

-- For those who read measurements in pages.
CREATE INDEX idx_measurements_model ON body.measurements (model, version, seq);
