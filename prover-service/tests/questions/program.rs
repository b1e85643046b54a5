//! `vouch ask` and `vouch inbox`, as people at two shells meet them.

use std::path::PathBuf;

use vouchsafe_prover_service::demo::hospital;

use super::desk::{ADULT, CHILD, Desk, OF_AGE, quick, set};
use crate::program::{Ran, command, folder, run, vouch, words};

struct Shell {
    desk: Desk,
    folder: PathBuf,
}

impl Shell {
    fn open(name: &'static str) -> Shell {
        let desk = set(name, None, quick);
        let folder = folder(&format!("{name}-files"));
        let pair = desk.world.authority.sign("insurer.test");
        std::fs::write(folder.join("cert.pem"), pair.certificate).unwrap();
        std::fs::write(folder.join("key.pem"), pair.key).unwrap();
        std::fs::write(folder.join("ca.pem"), desk.world.authority.pem()).unwrap();
        let shell = Shell { desk, folder };
        let (party, card) = (shell.file("insurer.party"), shell.file("insurer.card"));
        vouch("party new --name insurer --out {} --card {}", &[&party, &card]).exits(0);
        shell
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn admit(&self, role: &str) {
        let line = format!("party admit --role {role} --data {{}} {{}}");
        vouch(&line, &[self.desk.data(), &self.file("insurer.card")]).exits(0);
    }

    fn ask(&self, more: &str, paths: &[&str]) -> Ran {
        let line = format!(
            "ask --json --server https://localhost:{} --ca {{}} --cert {{}} --cert-key {{}} --party {{}} --request {{}} {more}",
            self.desk.world.address.port()
        );
        let files = ["ca.pem", "cert.pem", "key.pem", "insurer.party", "request.json"];
        let paths: Vec<PathBuf> = files.iter().chain(paths).map(|name| self.file(name)).collect();
        let paths: Vec<&std::path::Path> = paths.iter().map(PathBuf::as_path).collect();
        run(command(words(&line, &paths)))
    }

    fn request(&self) {
        let json = serde_json::to_vec(&self.desk.request(&[OF_AGE])).unwrap();
        std::fs::write(self.file("request.json"), json).unwrap();
    }
}

#[test]
fn a_verifier_asks_from_a_shell() {
    let shell = Shell::open("questions-program");
    shell.request();
    let subject = |patient| format!("--out {{}} --subject {}", hospital::record_number(patient));
    // before the card is admitted
    let stranger = shell.ask(&subject(ADULT), &["answer.json"]).exits(1);
    assert!(stranger.err.contains("admitted"), "{}", stranger.err);
    shell.admit("verifier");
    let answered = shell.ask(&subject(ADULT), &["answer.json"]).exits(0).json();
    assert_eq!(answered["answered"], true);
    let verify = |answer: &str| {
        let trust = shell.desk.data().join("trust.json");
        vouch("verify {} --request {} --trust {}", &[&shell.file(answer), &shell.file("request.json"), &trust])
    };
    verify("answer.json").exits(0);
    let refused = shell.ask(&subject(CHILD), &["none.json"]).exits(1).json();
    assert_eq!(refused["answered"], false);
    assert!(!shell.file("none.json").exists());
    // asked now, fetched later
    let subject = hospital::record_number(ADULT);
    let taken = shell.ask(&format!("--no-wait --subject {subject}"), &[]).exits(0).json();
    let question = taken["question"].as_str().unwrap();
    shell.ask(&format!("--out {{}} --question {question}"), &["later.json"]).exits(0);
    verify("later.json").exits(0);
    // what the asker got wrong
    shell.ask("--out {} --subject nobody", &["x.json"]).exits(1);
    shell.ask(&format!("--out {{}} --question {}", "00".repeat(32)), &["x.json"]).exits(1);
    shell.ask("--out {}", &["x.json"]).exits(2);
}

#[test]
fn a_person_decides_from_a_shell() {
    let shell = Shell::open("questions-inbox-program");
    shell.request();
    shell.admit("auditor");
    let data = shell.desk.data();
    let subject = hospital::record_number(ADULT);
    assert!(vouch("inbox --data {}", &[data]).exits(0).out.contains("Nothing waits"));
    let ask = || {
        let taken = shell.ask(&format!("--no-wait --subject {subject}"), &[]).exits(0).json();
        taken["question"].as_str().unwrap().to_owned()
    };
    let (yes, no) = (ask(), ask());
    let shown = vouch("inbox --data {}", &[data]).exits(0).out;
    for text in [&yes, &no, "insurer", OF_AGE.1, "HPAYMT", &subject] {
        assert!(shown.contains(text), "{text} is not in {shown}");
    }
    vouch(&format!("inbox --approve {yes} --data {{}}"), &[data]).exits(0);
    vouch(&format!("inbox --deny {no} --data {{}}"), &[data]).exits(0);
    vouch(&format!("inbox --deny {yes} --data {{}}"), &[data]).exits(1);
    vouch("inbox --deny 00 --data {}", &[data]).exits(2);
    shell.ask(&format!("--out {{}} --question {yes}"), &["yes.json"]).exits(0);
    shell.ask(&format!("--out {{}} --question {no}"), &["no.json"]).exits(1);
}
