/** Dockerfiles that are none. */
import type { BuildCase } from './build-case.ts';

const mistake = (name: string, dockerfile: string, fails: RegExp): BuildCase => ({
  name,
  dockerfile,
  fails,
});

export const MISTAKE_CASES: readonly BuildCase[] = [
  mistake('an empty file', '', /cannot be empty/),
  mistake('empty lines alone', '\n\n', /file with no instructions/),
  mistake('comments alone', '# nothing\n', /file with no instructions/),
  mistake('no FROM', 'RUN true', /no build stage in current context/),
  mistake('ARG alone', 'ARG A', /contains no stages to build/),
  mistake(
    'an unknown instruction',
    'FROM BASE\nRUM true',
    /line 2: unknown instruction: RUM \(did you mean RUN\?\)/,
  ),
  mistake(
    'an unknown flag',
    'FROM BASE\nCOPY --form=x a b',
    /unknown flag: --form \(did you mean from\?\)/,
  ),
  mistake('a flag where there is none', 'FROM BASE\nENV --x=1 A=1', /unknown flag: --x/),
  mistake(
    'a flag twice',
    'FROM BASE\nCOPY --from=a --from=b x y',
    /duplicate flag specified: from/,
  ),
  mistake('FROM without an image', 'FROM', /FROM requires either one or three arguments/),
  mistake('FROM with two words', 'FROM BASE x', /FROM requires either one or three arguments/),
  mistake('a bad name of a stage', 'FROM BASE AS 1st', /invalid name for build stage: "1st"/),
  mistake(
    'a base that is no name',
    'FROM Base:UP:er',
    /failed to parse stage name|invalid reference format/,
  ),
  mistake(
    'a base that is nothing',
    'ARG NONE\nFROM $NONE',
    /base name \(\$NONE\) should not be blank/,
  ),
  mistake('a platform that is none', 'FROM --platform=a/b/c/d BASE', /failed to parse platform/),
  mistake('RUN without a command', 'FROM BASE\nRUN', /RUN requires at least one argument/),
  mistake('COPY without a destination', 'FROM BASE\nCOPY a', /Destination could not be determined/),
  mistake('COPY without anything', 'FROM BASE\nCOPY', /COPY requires at least two arguments/),
  mistake('ENV without a value', 'FROM BASE\nENV A', /ENV must have two arguments/),
  mistake('ENV with half a pair', 'FROM BASE\nENV A=1 B', /can't find = in "B"/),
  mistake('ENV without a name', 'FROM BASE\nENV =1', /names can not be blank/),
  mistake('LABEL without anything', 'FROM BASE\nLABEL', /LABEL requires at least one argument/),
  mistake('ARG without a name', 'FROM BASE\nARG', /ARG requires at least one argument/),
  mistake('EXPOSE of no port', 'FROM BASE\nEXPOSE no', /no/),
  mistake(
    'VOLUME of nothing',
    'FROM BASE\nVOLUME [""]',
    /VOLUME specified can not be an empty string/,
  ),
  mistake('WORKDIR without a path', 'FROM BASE\nWORKDIR', /WORKDIR requires exactly one argument/),
  mistake('USER without a name', 'FROM BASE\nUSER', /USER requires exactly one argument/),
  mistake('a signal that is none', 'FROM BASE\nSTOPSIGNAL NOPE', /invalid signal: NOPE/),
  mistake(
    'SHELL that is no list',
    'FROM BASE\nSHELL sh',
    /SHELL requires the arguments to be in JSON form/,
  ),
  mistake(
    'HEALTHCHECK of an unknown kind',
    'FROM BASE\nHEALTHCHECK SOMETIMES',
    /unknown type "SOMETIMES" in HEALTHCHECK/i,
  ),
  mistake(
    'HEALTHCHECK without a command',
    'FROM BASE\nHEALTHCHECK CMD',
    /missing command after HEALTHCHECK CMD/i,
  ),
  mistake(
    'HEALTHCHECK with a bad time',
    'FROM BASE\nHEALTHCHECK --interval=1q CMD x',
    /invalid duration "1q"/,
  ),
  mistake('ONBUILD of ONBUILD', 'FROM BASE\nONBUILD ONBUILD RUN x', /Chaining ONBUILD/),
  mistake(
    'ONBUILD of FROM',
    'FROM BASE\nONBUILD FROM x',
    /FROM isn't allowed as an ONBUILD trigger/,
  ),
  mistake('an escape that is none', '# escape=x\nFROM BASE', /invalid ESCAPE 'x'/),
  mistake(
    'a directive twice',
    '# escape=`\n# escape=`\nFROM BASE',
    /only one escape parser directive can be used/,
  ),
  mistake('quotes that are not closed', 'FROM BASE\nENV A="x', /matching double-quote/),
  mistake(
    'COPY of a web address',
    'FROM BASE\nCOPY http://x/y /z',
    /source can't be a URL for COPY/,
  ),
];
