/** The log of a daemon: one line for each message on standard error, as text or JSON. */
import { type ConsolaReporter, createConsola, LogLevels, type LogObject } from 'consola/core';
import { EngineError } from '../shared/errors.ts';
import type { LogFields, Logger } from '../shared/logger.ts';

/** Least severe level and form of the log. */
export interface LogStyle {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'fatal';
  readonly format: 'text' | 'json';
}

const MAX_CAUSES = 8;

/** A logger with this style. `source` tells host and engine apart, which may share one file. */
export function createLogger(style: LogStyle, source: string): Logger {
  const reporter: ConsolaReporter = { log: (entry) => writeLine(render(entry, style, source)) };
  // Throttling would merge and delay equal messages: a log tells each of them, when it happens.
  const consola = createConsola({
    level: LogLevels[style.level],
    throttle: 0,
    reporters: [reporter],
  });
  const at =
    (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, fields?: LogFields) =>
      consola[level]({ args: [message, fields ?? {}] });
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** Nobody may be left to read: a terminal that was closed, a pipe whose reader has gone. That must not end a daemon. */
export function tolerateLostOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}

function writeLine(line: string): void {
  process.stderr.write(`${line}\n`);
}

function render(entry: LogObject, style: LogStyle, source: string): string {
  const record = {
    time: entry.date.toISOString(),
    level: entry.type,
    msg: entry.args[0],
    source,
    ...toPlainFields((entry.args[1] ?? {}) as LogFields),
  };
  if (style.format === 'json') return JSON.stringify(record);
  return Object.entries(record)
    .map(
      ([name, value]) =>
        `${name}=${quote(typeof value === 'string' ? value : JSON.stringify(value))}`,
    )
    .join(' ');
}

function toPlainFields(fields: LogFields): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Error ? describeError(value) : value,
    ]),
  );
}

/** Error objects have no fields of their own that JSON shows: spell out name, kind, place and causes. */
function describeError(error: Error): string {
  const parts: string[] = [];
  let current: unknown = error;
  for (let depth = 0; current instanceof Error && depth < MAX_CAUSES; depth++) {
    const kind = current instanceof EngineError ? ` (${current.kind})` : '';
    parts.push(`${current.name}${kind}: ${current.message}`);
    current = current.cause;
  }
  const place = error.stack?.split('\n').find((line) => line.startsWith('    at '));
  return parts.join(' <- ') + (place === undefined ? '' : ` ${place.trim()}`);
}

function quote(text: string): string {
  return /[\s"=]|^$/.test(text) ? JSON.stringify(text) : text;
}
