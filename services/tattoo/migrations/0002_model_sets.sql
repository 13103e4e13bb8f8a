-- Which embedders are used together. One set serves; another may be prepared, and takes over when enough of what is
-- enrolled is described by it.
CREATE TABLE tattoo.model_sets (
    generation bigserial PRIMARY KEY,
    -- Ordered, the primary first: everything a process needs to run the model again, whatever its settings say by then.
    models jsonb NOT NULL,
    state text NOT NULL CHECK (state IN ('preparing', 'serving', 'retired')),
    created_at timestamptz NOT NULL DEFAULT now(),
    switched_at timestamptz
);

CREATE UNIQUE INDEX idx_model_sets_serving ON tattoo.model_sets (state) WHERE state = 'serving';
CREATE UNIQUE INDEX idx_model_sets_preparing ON tattoo.model_sets (state) WHERE state = 'preparing';
