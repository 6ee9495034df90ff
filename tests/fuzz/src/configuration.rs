//! services.yaml: any bytes are a configuration, or have problems that can be told.

use std::io;
use std::path::Path;

use pihook::config::{Surroundings, parse};

/// What `${…}` brings in: not to be found in any message.
const SECRET: &str = "S3cr3t/That.Nobody-May_See";

/// Reads the bytes as a file in which every variable and every file is set.
pub fn run(data: &[u8]) {
    let environment = |name: &str| (!name.is_empty()).then(|| SECRET.to_owned());
    let read_file = |_: &Path| -> io::Result<String> { Ok(SECRET.to_owned()) };
    let surroundings = Surroundings {
        file: Path::new("services.yaml"),
        base: Path::new("/etc/pihook"),
        environment: &environment,
        read_file: &read_file,
    };
    let shown = match parse(data, &surroundings) {
        Ok(config) => {
            for service in &config.services {
                assert!(config.locate(&service.path_of_setting("url")) > 0);
                assert!(service.check.settings.is_object());
            }
            format!("{config:?}")
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            let mut line = 1;
            for problem in problems.iter() {
                assert!(problem.line >= line, "by line: {problems}");
                line = problem.line;
                let text = problem.to_string();
                assert!(!text.contains(char::is_control), "one line each: {text:?}");
                assert!(!problem.what.is_empty() && !problem.remedy.is_empty(), "{text}");
            }
            format!("{problems}{:?}", problems.partial())
        }
    };
    // A fuzzer finds out what it is, and writes it into the file itself.
    let is_written_out = data.windows(6).any(|window| window == &SECRET.as_bytes()[..6]);
    assert!(is_written_out || !shown.contains(SECRET), "a secret is shown: {shown}");
}
