/**
 * The `filters` query parameter: JSON in two shapes, `{"label":{"a=b":true}}` and `{"label":["a=b"]}`.
 * Decoded to a map from filter name to its values, in the order given.
 */
export type Filters = ReadonlyMap<string, readonly string[]>;
