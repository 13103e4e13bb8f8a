-- Vectors of up to 900 values stay in their rows, and nobody tries to compress what cannot be.
ALTER TABLE face.vectors ALTER COLUMN vector SET STORAGE EXTERNAL;
ALTER TABLE face.vectors SET (toast_tuple_target = 4080);
