"""Somebody who talks to a cluster with their own rights."""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import yaml

__all__ = ["Ask", "Person"]


class Ask(NamedTuple):
    """One verb on one resource; an empty namespace is all of them, an empty name every one."""

    verb: str
    resource: str
    """ With its subresource, as in `pods/exec`. """
    group: str = ""
    namespace: str = ""
    name: str = ""

    def attributes(self) -> dict[str, str]:
        """The same in the API server's words."""
        kind, _, subresource = self.resource.partition("/")
        return {
            "verb": self.verb,
            "group": self.group,
            "resource": kind,
            "subresource": subresource,
            "namespace": self.namespace,
            "name": self.name,
        }


@dataclass(frozen=True, kw_only=True)
class Person:
    """A kubeconfig and the kubectl that goes with it."""

    program: Path
    kubeconfig: Path

    def kubectl(self, *arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run kubectl as this person; a refusal is the test's business."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.kubeconfig.parent),  # its cache of API resources goes with the cluster
            "KUBECONFIG": str(self.kubeconfig),
        }
        return subprocess.run(
            [self.program, *arguments],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            env=environment,
            timeout=60,
        )

    def may(self, *asks: Ask) -> list[bool]:
        """Whether the API server says that this person may, for each question; one kubectl for all of them."""
        reviews = [
            {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": ask.attributes()},
            }
            for ask in asks
        ]
        done = self.kubectl(
            "create", "--validate=false", "--filename=-", "--output=yaml", text=yaml.safe_dump_all(reviews)
        )
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        answers = list(yaml.safe_load_all(done.stdout))
        if len(answers) != len(asks):
            raise AssertionError(f"{len(asks)} questions, {len(answers)} answers")
        return [answer["status"].get("allowed", False) for answer in answers]

    def verbs(self, verbs: Sequence[str], resource: str, **where: str) -> list[str]:
        """Those of the verbs that this person may use on the resource; `where` as the fields of an Ask."""
        allowed = self.may(*(Ask(verb, resource, **where) for verb in verbs))
        return [verb for verb, good in zip(verbs, allowed, strict=True) if good]
