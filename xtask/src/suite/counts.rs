//! How many tests ran, read from the runners' own summary lines.

use std::fmt;

/// Tests that passed and failed.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Counts {
    pub passed: u64,
    pub failed: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// A runner that ended badly, with what it had counted until then.
#[derive(Debug)]
pub struct Failed {
    pub what: String,
    pub counts: Counts,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Failed {}

/// What a failed step counts: its runner's figures, and at least one failure.
pub fn of(error: &anyhow::Error) -> Counts {
    let counted = error.downcast_ref::<Failed>().map(|failed| failed.counts).unwrap_or_default();
    Counts { failed: counted.failed.max(1), ..counted }
}

/// `test result: ok. 12 passed; 0 failed; …`, one line per test binary.
pub fn cargo_test(line: &str) -> Counts {
    line.strip_prefix("test result: ").map(words).unwrap_or_default()
}

/// `  3 passed (5.0s)`, `  1 failed`; what did not run counts as failed.
pub fn playwright(line: &str) -> Counts {
    let mut parts = line.split_whitespace();
    let counted = parts.next().and_then(|number| number.parse().ok());
    match (counted, parts.next(), parts.next()) {
        (Some(passed), Some("passed"), _) => Counts { passed, failed: 0 },
        (Some(failed), Some("failed" | "interrupted"), None) | (Some(failed), Some("did"), Some("not")) => {
            Counts { passed: 0, failed }
        }
        _ => Counts::default(),
    }
}

/// The numbers before the words `passed` and `failed`.
fn words(line: &str) -> Counts {
    let mut counts = Counts::default();
    let mut last = None;
    for word in line.split([' ', ';', ',']).filter(|word| !word.is_empty()) {
        match word {
            "passed" => counts.passed += last.unwrap_or(0),
            "failed" => counts.failed += last.unwrap_or(0),
            _ => {}
        }
        last = word.parse().ok();
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_lines_are_read() {
        let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s";
        assert_eq!(cargo_test(line), Counts { passed: 12, failed: 3 });
        assert_eq!(cargo_test("12 passed in a test's own output"), Counts::default());
    }

    #[test]
    fn playwright_lines_are_read() {
        assert_eq!(playwright("  3 passed (5.0s)"), Counts { passed: 3, failed: 0 });
        assert_eq!(playwright("  2 failed"), Counts { passed: 0, failed: 2 });
        assert_eq!(playwright("  4 did not run"), Counts { passed: 0, failed: 4 });
        assert_eq!(playwright("  1 failed request was seen"), Counts::default());
        assert_eq!(playwright("passed"), Counts::default());
    }

    #[test]
    fn a_failed_step_counts_at_least_once() {
        assert_eq!(of(&anyhow::anyhow!("no such tool")), Counts { passed: 0, failed: 1 });
        let counts = Counts { passed: 5, failed: 2 };
        assert_eq!(of(&Failed { what: String::new(), counts }.into()), counts);
    }
}
