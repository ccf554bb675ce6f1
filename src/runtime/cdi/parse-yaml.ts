/** The YAML parser, in a file of its own so that it can be loaded when it is needed. */
import { parse } from 'yaml';

/** The value of the text's one document. Throws for what is no YAML. */
export function parseYaml(text: string): unknown {
  return parse(text);
}
