//! The documents say what the code does: every event, code, route, flag and variable they name exists, and every one
//! that exists is named; every link between them leads somewhere.

#![allow(clippy::unwrap_used, reason = "what cannot be read fails the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{CommandFactory, Parser};
use lexchat::api;
use lexchat::chat::contract::catalogue::{ANNOUNCED, ASKED};
use lexchat::chat::contract::error::Code;
use lexchat::cli::Cli;

/// Words in the documents that look like flags and belong to other programs, or to the test command.
const FLAGS_OF_OTHERS: &[&str] = &[
    "--release",
    "--locked",
    "--long",
    "--path",
    "--example",
    "--engine",
    "--bench",
    "--test",
    "--peer",
    "--dir",
    "--cacert",
    "--deploy-hook",
];

/// The events that `CONTRIBUTING.md` adds, to show how.
const EVENTS_OF_THE_EXAMPLE: &[&str] = &["message:pin", "message:pinned"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn documents() -> Vec<(String, String)> {
    let mut names: Vec<String> = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(String::from).into();
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "md") {
            names.push(format!("docs/{}", path.file_name().unwrap().to_str().unwrap()));
        }
    }
    names.into_iter().map(|name| (name.clone(), read(&name))).collect()
}

/// The lines outside of fenced blocks.
fn unfenced(text: &str) -> impl Iterator<Item = &str> {
    let mut is_fenced = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_fenced ^= is_fence;
        !is_fenced && !is_fence
    })
}

/// What stands between backticks, line by line; fenced blocks are left out.
fn code_spans(text: &str) -> Vec<&str> {
    unfenced(text).flat_map(|line| line.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn no_line_of_prose_is_wider_than_a_hundred_columns() {
    for (name, text) in documents() {
        for line in unfenced(&text).filter(|line| !line.trim_start().starts_with('|')) {
            assert!(line.chars().count() <= 100, "{name}: {line}");
        }
    }
}

fn is_event_name(word: &str) -> bool {
    let parts: Vec<&str> = word.split(':').collect();
    let nouns = ASKED.iter().map(|event| event.name).chain(ANNOUNCED.iter().map(|event| event.name));
    let is_noun = nouns.filter_map(|name| name.split_once(':')).any(|(noun, _)| noun == parts[0]);
    is_noun && parts.len() > 1 && parts[1..].iter().all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_lowercase()))
}

fn events() -> BTreeSet<String> {
    let asked = ASKED.iter().map(|event| event.name);
    asked.chain(ANNOUNCED.iter().map(|event| event.name)).map(str::to_owned).collect()
}

/// The names of all events that the gateway reads and sends, as its source spells them.
fn events_of_the_gateway() -> BTreeSet<String> {
    let mut names: BTreeSet<String> = ["notification", "exception"].map(String::from).into();
    for entry in fs::read_dir(root().join("src/gateway")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        names.extend(code.split('"').skip(1).step_by(2).filter(|word| is_event_name(word)).map(String::from));
    }
    names
}

#[test]
fn the_catalogue_has_exactly_the_events_of_the_gateway() {
    assert_eq!(events_of_the_gateway(), events());
}

/// The rows of a document's tables whose first cell names an event: that name, and the code in the other cells.
fn rows_of_events(text: &str) -> Vec<(String, Vec<String>)> {
    let mut rows = Vec::new();
    for line in text.lines().filter(|line| line.starts_with('|')) {
        let mut cells = line.split(" | ").map(|cell| code_spans(cell).into_iter().map(str::to_owned).collect());
        let names: Vec<String> = cells.next().unwrap_or_default();
        let code: Vec<String> = cells.flat_map(|cell: Vec<String>| cell).collect();
        let events = names.into_iter().filter(|name| events().contains(name));
        rows.extend(events.map(|name| (name, code.clone())));
    }
    rows
}

#[test]
fn readme_and_guide_show_each_event_with_the_data_and_the_ack_of_the_catalogue() {
    for name in ["README.md", "docs/GUIDE.md"] {
        let rows = rows_of_events(&read(name));
        for event in ASKED {
            let expected: Vec<&str> = [event.data].into_iter().chain(event.ack.iter().copied()).collect();
            let shown = rows.iter().any(|(shown, code)| shown == event.name && *code == expected);
            assert!(shown, "{name} has no row for `{}` with {expected:?}", event.name);
        }
        for event in ANNOUNCED {
            let shown = rows
                .iter()
                .any(|(shown, code)| shown == event.name && code.first().is_some_and(|data| data == event.data));
            assert!(shown, "{name} has no row for `{}` with {}", event.name, event.data);
        }
    }
}

#[test]
fn every_event_is_in_the_guide_and_every_event_that_a_document_names_exists() {
    let events = events();
    let guide = read("docs/GUIDE.md");
    let in_guide: BTreeSet<&str> = code_spans(&guide).into_iter().collect();
    for event in &events {
        assert!(in_guide.contains(event.as_str()), "docs/GUIDE.md does not name `{event}`");
    }
    for (name, text) in documents() {
        for word in code_spans(&text) {
            let word = word.split(' ').next().unwrap_or_default();
            let exists = events.contains(word) || EVENTS_OF_THE_EXAMPLE.contains(&word);
            assert!(!is_event_name(word) || exists, "{name} names `{word}`, which does not exist");
        }
    }
}

/// Paths in the documents that are examples, or the name of a room without a folder.
const NO_FILES: &[&str] =
    &["src/chat/conversations/pins.rs", "src/store/database/migrations/to_N.sql", "store/statements"];

#[test]
fn every_file_that_the_documents_for_programmers_name_exists() {
    let mut seen = 0;
    for name in ["docs/ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = read(name);
        let paths = code_spans(&text).into_iter().filter(|span| !span.contains([' ', '{', '…']) && span.contains('/'));
        for path in paths.filter(|path| !NO_FILES.contains(path)) {
            let first = path.split('/').next().unwrap();
            let is_ours = !first.is_empty() && (root().join(first).exists() || root().join("src").join(first).exists());
            let named =
                [root().join(path), root().join("src").join(path), root().join("src").join(format!("{path}.rs"))];
            assert!(!is_ours || named.iter().any(|path| path.exists()), "{name} names `{path}`, which does not exist");
            seen += usize::from(is_ours);
        }
    }
    assert!(seen > 80, "{seen} paths were looked for");
}

#[test]
fn every_code_is_in_the_guide() {
    let guide = read("docs/GUIDE.md");
    let rows: BTreeSet<&str> = guide.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    for code in Code::ALL {
        assert!(rows.contains(code.as_str()), "docs/GUIDE.md has no row for {}", code.as_str());
    }
    let is_code = |word: &&&str| word.len() > 4 && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    for row in rows.iter().filter(is_code) {
        assert!(
            Code::ALL.iter().any(|code| code.as_str() == *row),
            "docs/GUIDE.md explains {row}, which does not exist"
        );
    }
}

#[test]
fn the_guide_has_exactly_the_routes_of_the_api() {
    let guide = read("docs/GUIDE.md");
    let is_route =
        |span: &&str| span.split_once(" /").is_some_and(|(method, _)| method.bytes().all(|b| b.is_ascii_uppercase()));
    let told: BTreeSet<String> = code_spans(&guide).into_iter().filter(is_route).map(without_names).collect();
    assert_eq!(told, described_routes());
}

/// The routes of the OpenAPI document, which a test of the router holds against the routes themselves.
fn described_routes() -> BTreeSet<String> {
    let document: serde_json::Value = serde_json::from_str(api::openapi::DOCUMENT).unwrap();
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in ["get", "head", "put", "post", "patch", "delete"] {
            if item.get(method).is_some() {
                described.insert(without_names(&format!("{} {path}", method.to_uppercase())));
            }
        }
    }
    described
}

/// A route with its placeholders emptied: what stands in them is called differently for people and for programs.
fn without_names(route: &str) -> String {
    let parts = route.split('{').map(|part| part.split_once('}').map_or(part, |(_, rest)| rest));
    parts.collect::<Vec<_>>().join("{}")
}

#[test]
fn operating_explains_every_flag_and_variable_and_names_no_other() {
    let cli = Cli::command();
    let mut flags: BTreeSet<String> = ["--help", "--version"].map(String::from).into();
    let mut variables: BTreeSet<String> = BTreeSet::new();
    let mut commands = vec![&cli];
    while let Some(command) = commands.pop() {
        commands.extend(command.get_subcommands());
        for argument in command.get_arguments() {
            flags.extend(argument.get_long().map(|long| format!("--{long}")));
            variables.extend(argument.get_env().and_then(|name| name.to_str()).map(String::from));
        }
    }
    variables.insert("LEXCHAT_METRICS_TOKEN".into());

    let operating = read("docs/OPERATING.md");
    let serve = cli.find_subcommand("serve").unwrap();
    for flag in serve.get_arguments().filter_map(clap::Arg::get_long).filter(|long| *long != "help") {
        assert!(operating.contains(&format!("`--{flag}`")), "docs/OPERATING.md does not explain --{flag}");
    }
    for command in cli.get_subcommands().map(clap::Command::get_name) {
        assert!(operating.contains(&format!("lexchat {command}")), "docs/OPERATING.md does not name lexchat {command}");
    }
    for (name, text) in documents() {
        for word in code_spans(&text).into_iter().flat_map(|span| span.split([' ', '=', ',', '|', '[', ']'])) {
            let is_flag =
                word.strip_prefix("--").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()));
            let is_known = flags.contains(word) || FLAGS_OF_OTHERS.contains(&word);
            assert!(!is_flag || is_known, "{name} names {word}, which does not exist");
            let is_variable = word.starts_with("LEXCHAT_") && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
            let is_of_tests = word == "LEXCHAT_" || word.starts_with("LEXCHAT_TEST_") || word == "LEXCHAT_BIN";
            assert!(
                !is_variable || is_of_tests || variables.contains(word),
                "{name} names {word}, which does not exist"
            );
        }
    }
}

/// The lines of fenced blocks and of the deployment files that type `lexchat …`, with where they stand.
fn typed_lines() -> Vec<(String, String)> {
    let mut lines = Vec::new();
    for (name, text) in documents() {
        let mut is_fenced = false;
        // A shell reads on after a backslash at the end of a line.
        for line in text.replace("\\\n", " ").lines() {
            if line.trim_start().starts_with("```") {
                is_fenced = !is_fenced;
            } else if is_fenced {
                lines.push((name.clone(), line.trim_start_matches(['$', '#', ' ']).to_owned()));
            }
        }
    }
    for (name, text) in deployment() {
        let words = text.lines().filter_map(|line| line.strip_prefix("ExecStart="));
        lines.extend(words.map(|line| (name.clone(), line.to_owned())));
    }
    lines
}

fn deployment() -> Vec<(String, String)> {
    let entries = fs::read_dir(root().join("docs/deploy")).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.display().to_string(), fs::read_to_string(&path).unwrap())).collect()
}

/// Splits a line as a shell does, as far as the documents need it: quotes, and what follows `#` is a remark.
fn shell_words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => break,
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[test]
fn every_command_line_in_the_documents_can_be_typed() {
    let mut count = 0;
    for (name, line) in typed_lines() {
        let words = shell_words(&line);
        let start = match words.first().map(String::as_str) {
            Some("cargo") if words[1] == "run" => words.iter().position(|word| word == "--").map(|at| at + 1),
            Some(program) if program == "lexchat" || program.ends_with("/lexchat") => Some(1),
            _ => None,
        };
        let Some(start) = start else { continue };
        let typed = words[start..].iter().take_while(|word| !matches!(word.as_str(), "|" | "&&" | ">"));
        let result = Cli::try_parse_from(std::iter::once(&"lexchat".to_owned()).chain(typed));
        let is_fine = result.as_ref().err().is_none_or(|error| !error.use_stderr());
        assert!(is_fine, "{name}: {line}\n{}", result.err().map(|error| error.to_string()).unwrap_or_default());
        count += 1;
    }
    assert!(count >= 12, "only {count} lines were found");
}

#[test]
fn the_workflow_runs_every_stage_of_the_gate() {
    let workflow = read(".github/workflows/ci.yml");
    let named: BTreeSet<&str> = workflow.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    for entry in fs::read_dir(root().join("tests/stages")).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let stage = file[3..].strip_suffix(".sh").unwrap();
        assert!(named.contains(stage), "{stage}");
    }
}

#[test]
fn the_deployment_files_name_only_variables_and_flags_that_exist() {
    let cli = Cli::command();
    let serve = cli.find_subcommand("serve").unwrap();
    let variables: BTreeSet<&str> =
        serve.get_arguments().filter_map(|argument| argument.get_env().and_then(|name| name.to_str())).collect();
    for (name, text) in deployment() {
        for at in text.match_indices("LEXCHAT_").map(|(at, _)| at) {
            let end = text[at..].find(|c: char| !c.is_ascii_uppercase() && c != '_').unwrap_or(text.len() - at);
            let variable = &text[at..at + end];
            // `LEXCHAT_…` and `LEXCHAT_…_FILE` stand for any of them.
            assert!(variable == "LEXCHAT_" || variables.contains(variable), "{name} names {variable}");
        }
        for line in text.lines().filter(|line| line.contains("lexchat: --") || line.starts_with("ExecStart=")) {
            let named =
                cli.get_subcommands().find(|command| line.contains(&format!("lexchat {} ", command.get_name())));
            let flags: BTreeSet<&str> =
                named.unwrap_or(serve).get_arguments().filter_map(clap::Arg::get_long).collect();
            for word in line.split([' ', ':']).filter_map(|word| word.strip_prefix("--")) {
                let flag = word.split('=').next().unwrap_or_default();
                assert!(flags.contains(flag), "{name} names --{flag}");
            }
        }
    }
}

/// `POST /auth/sign-in {email, password}`: the method and the path, without placeholders' names and the question.
fn route_of(span: &str) -> Option<String> {
    let (method, rest) = span.split_once(' ')?;
    let is_route = matches!(method, "GET" | "PUT" | "POST" | "PATCH" | "DELETE") && rest.starts_with('/');
    let path = rest.split([' ', '?', '[']).next().unwrap_or_default();
    is_route.then(|| without_names(&format!("{method} {path}")))
}

#[test]
fn every_route_that_a_document_names_exists() {
    let described = described_routes();
    for (name, text) in documents() {
        for route in code_spans(&text).into_iter().filter_map(route_of) {
            let is_page = route == "GET /" || route.starts_with("GET /socket.io/") || route.ends_with(".html");
            assert!(is_page || described.contains(&route), "{name} names `{route}`, which does not exist");
        }
    }
}

#[test]
fn every_link_between_the_documents_leads_somewhere() {
    let mut faults = Vec::new();
    for (name, text) in documents() {
        let folder = root().join(&name).parent().map(Path::to_owned).unwrap();
        for target in links(&text) {
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = if path.is_empty() { root().join(&name) } else { folder.join(path) };
            if !file.exists() {
                faults.push(format!("{name}: {target} does not exist"));
            } else if !anchor.is_empty() && !anchors(&fs::read_to_string(&file).unwrap()).contains(anchor) {
                faults.push(format!("{name}: {target} has no such heading"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The targets of Markdown links, without those that leave the repository.
fn links(text: &str) -> Vec<&str> {
    let targets = text.match_indices("](").filter_map(|(at, _)| text[at + 2..].split(')').next());
    targets
        .filter(|target| !target.contains("://") && !target.starts_with("mailto:") && !target.contains('\n'))
        .collect()
}

/// The names by which headings can be linked to: small letters, hyphens for spaces, no punctuation.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let name = |line: &str| {
        let words = line.trim_start_matches('#').trim().to_lowercase();
        let kept = words.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect::<String>()
    };
    headings.map(name).collect()
}
