/** The commands that move files between containers, the host and images, with their flags. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Case, type Surroundings, step } from './step.ts';

/** Rows for `cp`, `diff`, `commit` and `export`. */
export function fileCases({ image, dir }: Surroundings): readonly Case[] {
  writeFileSync(join(dir, 'cargo'), 'barrels');
  return [
    {
      title: 'cp in and out, by path and by stream',
      steps: [
        step(`create --name row ${image} cat /tmp/cargo`),
        step(`cp ${join(dir, 'cargo')} row:/tmp`),
        step('start -a row', { prints: /^barrels$/ }),
        step(`cp row:/tmp/cargo ${join(dir, 'returned')}`),
        step(`cp -a ${dir}/. row:/srv/`),
        step('cp row:/srv/cargo -', { prints: /barrels/ }),
        step(`cp ${dir}/. row:/no/such/`, {
          exits: 1,
          complains:
            /(no such directory|Could not find the file|No such container:path|does not exist)/i,
        }),
        step(`cp -L row:/etc/passwd -`, { prints: /root:x:0:0/ }),
        step('cp row:/none .', {
          exits: 1,
          complains:
            /(Could not find the file \/none in container row|No such container:path: row:\/none)/,
        }),
        step('rm row'),
      ],
    },
    {
      title: 'diff, commit, export',
      steps: [
        step(
          `run --name row ${image} sh -c`,
          {},
          'echo x >/added; rm /etc/group; echo y >>/etc/passwd',
        ),
        step('diff row', {
          prints:
            /^(?=[\s\S]*^A \/added$)(?=[\s\S]*^C \/etc$)(?=[\s\S]*^C \/etc\/passwd$)(?=[\s\S]*^D \/etc\/group$)/m,
        }),
        step(
          'commit -a us -m why -c',
          { prints: /^sha256:[0-9a-f]{64}$/ },
          'CMD ["cat", "/added"]',
          '-p',
          'row',
          'committed:1',
        ),
        step('run --rm committed:1', { prints: /^x$/ }),
        step('inspect -f', { prints: /^us why$/ }, '{{.Author}} {{.Comment}}', 'committed:1'),
        step(`export -o ${join(dir, 'root.tar')} row`),
        step('rm row'),
        step('rmi committed:1', { prints: /^Untagged: committed:1\nDeleted: sha256:/ }),
      ],
    },
  ];
}
