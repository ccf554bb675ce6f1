"""The documented examples of docker-py, by the kind of object that they are about.

Calls are as the documentation has them; images of its names must be in the engine's store (any shell will do).
"""

import io
import os
import tarfile
import threading
import unittest

import docker

client = docker.from_env()


class Client(unittest.TestCase):
    def test_ping_version_info_df(self):
        self.assertTrue(client.ping())
        self.assertGreaterEqual(client.version()["ApiVersion"], "1.41")
        self.assertEqual(client.info()["OSType"], "linux")
        self.assertIn("Volumes", client.df())

    def test_events(self):
        stream = client.events(decode=True)
        seen = []

        def read():
            for event in stream:
                seen.append(event["Action"])
                if event["Action"] == "destroy":
                    return

        reader = threading.Thread(target=read)
        reader.start()
        while reader.is_alive():
            client.containers.run("alpine", "true", remove=True)
            reader.join(0.2)
        self.assertIn("create", seen)

    def test_low_level(self):
        api = docker.APIClient(base_url=os.environ["DOCKER_HOST"])
        container = api.create_container(
            image="busybox:latest",
            command="/bin/sleep 30",
            host_config=api.create_host_config(
                port_bindings={1111: ("127.0.0.1",)}, binds=["/tmp:/mnt/vol:ro"]
            ),
            ports=[1111, (2222, "udp")],
        )
        api.start(container=container.get("Id"))
        self.assertEqual(api.port(container, 1111)[0]["HostIp"], "127.0.0.1")
        self.assertEqual(api.top(container)["Titles"][0], "UID")
        api.kill(container)
        self.assertEqual(api.wait(container)["StatusCode"], 137)
        api.remove_container(container)


class Containers(unittest.TestCase):
    def tearDown(self):
        for container in client.containers.list(all=True):
            container.remove(force=True)

    def test_run(self):
        self.assertEqual(client.containers.run("ubuntu", "echo hello world"), b"hello world\n")
        self.assertEqual(
            client.containers.run("alpine", ["echo", "hello", "world"]), b"hello world\n"
        )

    def test_run_detached(self):
        container = client.containers.run("bfirsh/reticulate-splines", "echo Reticulating spline 1...", detach=True)
        self.assertEqual(container.wait()["StatusCode"], 0)
        self.assertEqual(container.logs(), b"Reticulating spline 1...\n")
        self.assertEqual(container.attrs["Config"]["Image"], "bfirsh/reticulate-splines")

    def test_run_failing(self):
        with self.assertRaises(docker.errors.ContainerError) as caught:
            client.containers.run("alpine", "sh -c 'echo told >&2; exit 3'")
        self.assertEqual(caught.exception.exit_status, 3)
        self.assertIn(b"told", caught.exception.stderr)
        with self.assertRaises(docker.errors.APIError):
            client.containers.run("alpine", "no-such-program")

    def test_run_with_settings(self):
        out = client.containers.run(
            "alpine",
            "sh -c 'echo $SOME $(hostname) $(id -u) $PWD; ulimit -n'",
            environment=["SOME=value"],
            hostname="berth",
            user="1000",
            working_dir="/var",
            volumes={"vol": {"bind": "/mnt/vol2", "mode": "rw"}},
            tmpfs={"/scratch": "size=1m"},
            ulimits=[docker.types.Ulimit(name="nofile", soft=128, hard=128)],
            mem_limit="64m",
            extra_hosts={"lighthouse": "10.0.0.1"},
            cap_drop=["NET_RAW"],
            labels={"label1": "value1"},
            init=True,
            remove=True,
        )
        self.assertEqual(out, b"value berth 1000 /var\n128\n")
        client.volumes.get("vol").remove()

    def test_list_get_create(self):
        container = client.containers.create("alpine", "sleep 1000", name="made")
        self.assertEqual(client.containers.get("made").status, "created")
        self.assertEqual(client.containers.list(), [])
        self.assertEqual(client.containers.list(all=True, filters={"name": "made"}), [container])
        with self.assertRaises(docker.errors.NotFound):
            client.containers.get("nothing")

    def test_life(self):
        container = client.containers.run("alpine", "sleep 1000", detach=True)
        container.pause()
        container.reload()
        self.assertEqual(container.status, "paused")
        container.unpause()
        container.restart(timeout=0)
        container.rename("renamed")
        container.reload()
        self.assertEqual((container.name, container.status), ("renamed", "running"))
        self.assertIn("sleep 1000", str(container.top()["Processes"]))
        self.assertIn("memory_stats", container.stats(stream=False))
        self.assertIn("Warnings", container.update(cpu_shares=512))
        container.stop(timeout=0)
        container.start()
        container.kill()
        self.assertEqual(container.wait()["StatusCode"], 137)
        container.remove()
        self.assertEqual(client.containers.list(all=True), [])

    def test_logs_streaming(self):
        container = client.containers.run("alpine", "sh -c 'echo 1; echo 2'", detach=True)
        self.assertEqual([line.strip() for line in container.logs(stream=True)], [b"1", b"2"])
        container.wait()
        self.assertEqual(container.logs(tail=1), b"2\n")
        self.assertRegex(container.logs(timestamps=True).decode(), r"^20\d\d-")

    def test_attach(self):
        container = client.containers.create("alpine", "sh -c 'read line; echo got $line'", stdin_open=True)
        sock = container.attach_socket(params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
        container.start()
        output = container.attach(stdout=True, stream=True)
        sock._sock.sendall(b"a line\n")
        self.assertEqual(b"".join(output), b"got a line\n")
        sock.close()

    def test_attach_to_what_has_ended(self):
        container = client.containers.run("alpine", "echo out", detach=True)
        container.wait()
        # The client loses what comes together with the answer's head.
        self.assertEqual({container.attach(logs=True) for _ in range(30)}, {b"out\n"})
        container.remove()

    def test_archives(self):
        container = client.containers.create("alpine", "cat /srv/file")
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w") as tar:
            member = tarfile.TarInfo("file")
            member.size = 5
            tar.addfile(member, io.BytesIO(b"cargo"))
        container.put_archive("/", self.folder("srv"))
        self.assertTrue(container.put_archive("/srv", data.getvalue()))
        bits, stat = container.get_archive("/srv/file")
        self.assertEqual((stat["name"], stat["size"]), ("file", 5))
        with tarfile.open(fileobj=io.BytesIO(b"".join(bits))) as tar:
            self.assertEqual(tar.extractfile("file").read(), b"cargo")
        self.assertIn({"Path": "/srv/file", "Kind": 1}, container.diff())
        with tarfile.open(fileobj=io.BytesIO(b"".join(container.export()))) as tar:
            self.assertIn("srv/file", [name.removeprefix("./") for name in tar.getnames()])

    def folder(self, name):
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w") as tar:
            member = tarfile.TarInfo(name)
            member.type, member.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(member)
        return data.getvalue()

    def test_commit(self):
        container = client.containers.run("alpine", "touch /mark", detach=True)
        container.wait()
        image = container.commit(repository="committed", tag="one", changes=["CMD ls /mark"])
        self.assertEqual(client.containers.run("committed:one", remove=True), b"/mark\n")
        container.remove()
        client.images.remove(image.id, force=True)

    def test_build(self):
        dockerfile = b"FROM alpine\nARG A\nRUN echo $A >/a\nCMD cat /a"
        image, logs = client.images.build(
            fileobj=io.BytesIO(dockerfile), tag="built:py", buildargs={"A": "py"}, rm=True
        )
        lines = list(logs)
        self.assertTrue(any("Successfully built" in line.get("stream", "") for line in lines))
        self.assertIn("built:py", image.tags)
        self.assertEqual(client.containers.run("built:py", remove=True), b"py\n")
        with self.assertRaises(docker.errors.BuildError) as failed:
            client.images.build(fileobj=io.BytesIO(b"FROM alpine\nRUN exit 3"))
        self.assertIn("returned a non-zero code: 3", failed.exception.msg)
        with self.assertRaises(docker.errors.APIError):
            client.images.build(fileobj=io.BytesIO(b"FROM alpine\nRUM x"))
        client.images.remove("built:py", force=True)

    def test_prune(self):
        client.containers.run("alpine", "true", detach=True).wait()
        self.assertEqual(len(client.containers.prune()["ContainersDeleted"]), 1)


class Exec(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.container = client.containers.run("alpine", "sleep 1000", detach=True)

    @classmethod
    def tearDownClass(cls):
        cls.container.remove(force=True)

    def test_run(self):
        code, output = self.container.exec_run("ls /bin/sh")
        self.assertEqual((code, output), (0, b"/bin/sh\n"))

    def test_streams_apart(self):
        result = self.container.exec_run(["sh", "-c", "echo out; echo err >&2; exit 4"], demux=True)
        self.assertEqual((result.exit_code, result.output), (4, (b"out\n", b"err\n")))

    def test_stream(self):
        result = self.container.exec_run(["sh", "-c", "echo 1; echo 2"], stream=True)
        self.assertEqual(b"".join(result.output), b"1\n2\n")

    def test_environment_user_directory(self):
        result = self.container.exec_run(
            ["sh", "-c", "echo $A $(id -u) $PWD"], environment={"A": "b"}, user="12", workdir="/tmp"
        )
        self.assertEqual(result.output, b"b 12 /tmp\n")

    def test_socket(self):
        _, sock = self.container.exec_run("cat", stdin=True, socket=True, tty=True)
        sock._sock.sendall(b"echoed\n")
        self.assertIn(b"echoed", sock._sock.recv(100))
        sock.close()

    def test_detached_and_low_level(self):
        self.container.exec_run("touch /tmp/detached", detach=True)
        made = client.api.exec_create(self.container.id, "sh -c 'while [ ! -e /tmp/detached ]; do :; done'")
        client.api.exec_start(made)
        self.assertEqual(client.api.exec_inspect(made)["ExitCode"], 0)


class Volumes(unittest.TestCase):
    def test_life(self):
        volume = client.volumes.create(name="foobar", driver="local", labels={"key": "value"})
        self.assertEqual(volume.attrs["Labels"], {"key": "value"})
        self.assertEqual(client.volumes.list(filters={"label": "key"}), [volume])
        client.containers.run("alpine", "touch /data/a", volumes={"foobar": {"bind": "/data", "mode": "rw"}}, remove=True)
        mounts = [docker.types.Mount(target="/data", source="foobar", read_only=True)]
        self.assertEqual(client.containers.run("alpine", "ls /data", mounts=mounts, remove=True), b"a\n")
        client.volumes.get("foobar").remove()
        with self.assertRaises(docker.errors.NotFound):
            client.volumes.get("foobar")

    def test_prune(self):
        client.volumes.create()
        self.assertEqual(len(client.volumes.prune()["VolumesDeleted"]), 1)


class Networks(unittest.TestCase):
    def test_life(self):
        pool = docker.types.IPAMPool(subnet="10.124.0.0/16", gateway="10.124.0.254")
        network = client.networks.create(
            "network1", driver="bridge", ipam=docker.types.IPAMConfig(pool_configs=[pool])
        )
        self.assertEqual(client.networks.list(names=["network1"]), [network])
        container = client.containers.run("alpine", "sleep 1000", detach=True)
        network.connect(container, aliases=["friend"], ipv4_address="10.124.0.7")
        network.reload()
        self.assertEqual(network.containers, [container])
        other = client.containers.run("alpine", "ping -c1 -W2 friend", network="network1", remove=True)
        self.assertIn(b"10.124.0.7", other)
        network.disconnect(container)
        container.remove(force=True)
        network.remove()
        with self.assertRaises(docker.errors.NotFound):
            client.networks.get("network1")

    def test_prune(self):
        client.networks.create("unused")
        self.assertEqual(client.networks.prune()["NetworksDeleted"], ["unused"])


class Images(unittest.TestCase):
    def test_list_get_history_tag(self):
        image = client.images.get("alpine")
        self.assertIn("alpine:latest", image.tags)
        self.assertIn(image, client.images.list(name="alpine"))
        self.assertTrue(image.history()[0]["CreatedBy"])
        self.assertTrue(image.tag("localhost/mine", tag="v1"))
        client.images.remove("localhost/mine:v1")
        with self.assertRaises(docker.errors.ImageNotFound):
            client.images.get("localhost/mine:v1")

    def test_save_and_load(self):
        data = b"".join(client.images.get("alpine").save(named=True))
        self.assertIn("alpine:latest", client.images.load(data)[0].tags)

    def test_pull_and_push(self):
        repository = os.environ["REGISTRY"] + "/pulled"
        client.images.get("alpine").tag(repository, tag="1")
        lines = [line for line in client.images.push(repository, tag="1", stream=True, decode=True)]
        self.assertEqual([line for line in lines if "error" in line], [])
        client.images.remove(repository + ":1")
        image = client.images.pull(repository, tag="1")
        self.assertEqual(image.tags.count(repository + ":1"), 1)
        self.assertTrue(client.images.get_registry_data(repository + ":1").id.startswith("sha256:"))
        client.images.remove(repository + ":1")

    def test_prune(self):
        self.assertIn("SpaceReclaimed", client.images.prune(filters={"dangling": True}))
