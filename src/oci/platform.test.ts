import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { choosePlatform, formatPlatform, parsePlatform, platformOfNodeArch } from './platform.ts';

const AMD64 = { os: 'linux', architecture: 'amd64' };
const arm = (variant: string) => ({ os: 'linux', architecture: 'arm', variant });

describe('a platform', () => {
  it('is understood in its usual spellings', () => {
    const cases = {
      'linux/amd64': 'linux/amd64',
      'linux/x86_64': 'linux/amd64',
      aarch64: 'linux/arm64',
      'linux/arm64/v8': 'linux/arm64',
      armhf: 'linux/arm/v7',
      'linux/arm': 'linux/arm/v7',
      'linux/arm/6': 'linux/arm/v6',
      'windows/amd64': 'windows/amd64',
      linux: 'linux/amd64',
    };
    for (const [text, want] of Object.entries(cases)) {
      const platform = parsePlatform(text, AMD64);
      assert.ok(platform, text);
      assert.equal(formatPlatform(platform), want);
    }
  });

  it('is refused when malformed', () => {
    for (const text of ['', 'a/b/c/d', 'linux/', 'linux/am d']) {
      assert.equal(parsePlatform(text, AMD64), undefined);
    }
  });

  it('follows from the architecture of node', () => {
    assert.deepEqual(platformOfNodeArch('x64'), AMD64);
    assert.deepEqual(platformOfNodeArch('arm64'), { os: 'linux', architecture: 'arm64' });
  });
});

describe('the choice among platforms', () => {
  it('prefers the own variant, then lower ones, never higher ones', () => {
    const offers = [arm('v5'), arm('v6'), arm('v7'), { os: 'linux', architecture: 'arm64' }];
    assert.equal(choosePlatform(offers, arm('v7')), 2);
    assert.equal(choosePlatform([arm('v5'), arm('v6')], arm('v7')), 1);
    assert.equal(choosePlatform([arm('v7')], arm('v6')), undefined);
  });

  it('takes what a 64-bit machine also runs, and nothing for another system', () => {
    assert.equal(choosePlatform([arm('v7')], { os: 'linux', architecture: 'arm64' }), 0);
    assert.equal(choosePlatform([{ os: 'linux', architecture: '386' }], AMD64), 0);
    assert.equal(
      choosePlatform([{ os: 'windows', architecture: 'amd64' }, undefined], AMD64),
      undefined,
    );
  });
});
