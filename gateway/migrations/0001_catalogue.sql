-- Whom the owner enrolled. Other schemas refer to catalogue.performers(id) ON DELETE CASCADE, so that forgetting a
-- performer is one DELETE of one row here.

CREATE TABLE catalogue.performers (
    id uuid PRIMARY KEY,
    -- For people; not unique, never joined on.
    name text NOT NULL CHECK (name <> ''),
    aliases text[] NOT NULL DEFAULT '{}',
    birth_date date,
    -- Of the dated images given to the signals, written before they store anything: a birth date that is learned
    -- later is held against it.
    earliest_image_date date,
    -- 0 when unknown.
    career_start_year integer NOT NULL DEFAULT 0,
    career_end_year integer NOT NULL DEFAULT 0,
    adult_attested boolean NOT NULL DEFAULT false,
    gender text NOT NULL DEFAULT '',
    country text NOT NULL DEFAULT '',
    image_url text NOT NULL DEFAULT '',
    urls text[] NOT NULL DEFAULT '{}',
    -- Name and aliases in case-folded form, written by the gateway: what PostgreSQL's lower() does depends on the
    -- server's locale, and the order of a page must not.
    sort_name text COLLATE "C" NOT NULL,
    search_text text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Pages go by name, then id. A search reads all names: 65 ms for 100,000 performers, and needs no extension.
CREATE INDEX idx_performers_by_name ON catalogue.performers (sort_name, id);

CREATE TABLE catalogue.external_ids (
    -- Lower case.
    authority text NOT NULL CHECK (authority <> ''),
    id text NOT NULL CHECK (id <> ''),
    performer_id uuid NOT NULL REFERENCES catalogue.performers (id) ON DELETE CASCADE,
    -- Place in the performer's list, from 0.
    position integer NOT NULL,
    PRIMARY KEY (authority, id)
);

CREATE INDEX idx_external_ids_performer ON catalogue.external_ids (performer_id);
