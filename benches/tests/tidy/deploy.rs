//! What is deployed: the Dockerfile and the systemd unit, linted without an engine.

use super::root;

fn deployed(name: &str) -> String {
    std::fs::read_to_string(root().join("prover-service/deploy").join(name)).expect("a file of prover-service/deploy")
}

/// What is wrong with a Dockerfile, by the rules that hadolint and we have in common.
fn faults(dockerfile: &str) -> Vec<String> {
    let joined = dockerfile.replace("\\\n", " ");
    let lines: Vec<&str> = joined.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')).collect();
    let of = |word: &str| lines.iter().filter(|l| l.starts_with(&format!("{word} "))).copied().collect::<Vec<_>>();
    let mut found = Vec::new();
    for from in of("FROM") {
        let image = from.split_whitespace().nth(1).unwrap_or_default();
        if !image.contains(':') || image.ends_with(":latest") {
            found.push(format!("{image} has no tag that stays"));
        }
    }
    let last = lines.iter().rposition(|l| l.starts_with("FROM ")).unwrap_or(0);
    let user = lines[last..].iter().find_map(|l| l.strip_prefix("USER "));
    if user.is_none_or(|user| user.starts_with("root") || user.starts_with('0')) {
        found.push("it runs as root".to_owned());
    }
    for run in of("RUN").into_iter().filter(|run| run.contains("apt-get install")) {
        for (needs, why) in
            [("--no-install-recommends", "installs what is not needed"), ("rm -rf /var/lib/apt/lists", "leaves lists")]
        {
            if !run.contains(needs) {
                found.push(format!("a step {why}"));
            }
        }
    }
    for (word, why) in
        [("ADD", "COPY does it"), ("ENV", "a secret could stand there"), ("ARG", "a secret could stand there")]
    {
        found.extend(of(word).iter().map(|line| format!("{line}: {why}")));
    }
    for word in ["HEALTHCHECK", "ENTRYPOINT", "STOPSIGNAL"] {
        if of(word).is_empty() {
            found.push(format!("no {word}"));
        }
    }
    let shell =
        lines.iter().filter(|l| l.starts_with("ENTRYPOINT ") || l.starts_with("CMD ")).any(|l| !l.contains('['));
    if shell {
        found.push("a shell stands between the engine's signals and the program".to_owned());
    }
    found
}

#[test]
fn the_dockerfile_keeps_the_rules() {
    let text = deployed("Dockerfile");
    assert_eq!(faults(&text), Vec::<String>::new());
    for (from, to) in [
        ("USER 10001:10001", "USER root"),
        ("rust:1.95-bookworm", "rust:latest"),
        (" --no-install-recommends", ""),
        ("HEALTHCHECK", "# HEALTHCHECK"),
        ("STOPSIGNAL SIGTERM", "ENV VOUCH_PASSPHRASE=x"),
    ] {
        assert!(text.contains(from), "{from}");
        assert!(!faults(&text.replacen(from, to, 1)).is_empty(), "{from} could be {to}");
    }
}

#[test]
fn the_unit_shuts_the_service_in() {
    let text = deployed("vouch.service");
    for line in [
        "User=vouchsafe",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "PrivateTmp=yes",
        "CapabilityBoundingSet=",
        "UMask=0077",
        "LimitCORE=0",
        "KillSignal=SIGTERM",
        "RestartPreventExitStatus=2",
    ] {
        assert!(text.lines().any(|l| l == line), "the unit lacks {line}");
    }
    assert!(text.contains("LoadCredential=passphrase:") && !text.contains("VOUCH_PASSPHRASE"));
}
