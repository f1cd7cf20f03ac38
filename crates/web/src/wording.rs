//! Figures and instants as people read them.

use gatewarden_types::Timestamp;

/// `1,240`
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && place % 3 == first {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 member`, `2 members`
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { many })
}

/// `now`, `4 min ago`, `in 5 days`, and a date for what is more than a month away.
pub fn relative(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.seconds() - then.seconds();
    let away = match seconds.unsigned_abs() {
        0..60 => return "now".to_owned(),
        away @ 60..3600 => format!("{} min", away / 60),
        away @ 3600..86_400 => format!("{} h", away / 3600),
        86_400..172_800 => return if seconds > 0 { "yesterday" } else { "tomorrow" }.to_owned(),
        away @ 172_800..2_592_000 => format!("{} days", away / 86_400),
        _ => return date(then),
    };
    if seconds > 0 { format!("{away} ago") } else { format!("in {away}") }
}

/// `5 minutes`, `1 day`: in the largest unit that makes it a whole number.
pub fn span(seconds: u64) -> String {
    const UNITS: [(u64, &str, &str); 3] = [(86_400, "day", "days"), (3600, "hour", "hours"), (60, "minute", "minutes")];
    let whole = UNITS.into_iter().find(|(unit, ..)| seconds >= *unit && seconds.is_multiple_of(*unit));
    let (unit, one, many) = whole.unwrap_or((1, "second", "seconds"));
    counted(seconds / unit, one, many)
}

/// `27 Nov 2026`
pub fn date(at: Timestamp) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (year, month, day) = at.date();
    let name = MONTHS.get(usize::from(month.saturating_sub(1))).copied().unwrap_or_default();
    format!("{day} {name} {year}")
}

/// `27 Nov 2026, 18:04:05 UTC`
pub fn instant(at: Timestamp) -> String {
    let (hour, minute, second) = at.time();
    format!("{}, {hour:02}:{minute:02}:{second:02} UTC", date(at))
}

/// `Firefox on Linux`, from what a browser says of itself.
pub fn browser(agent: &str) -> String {
    // The order counts: nearly all of them claim to be the ones after them.
    const BROWSERS: [(&str, &str); 7] = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("CriOS/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ];
    const SYSTEMS: [(&str, &str); 6] = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ];
    let named = |known: &[(&str, &'static str)]| {
        known.iter().find(|(sign, _)| agent.contains(sign)).map(|(_, name)| (*name).to_owned())
    };
    match (named(&BROWSERS), named(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser,
        (None, _) if agent.is_empty() => "A browser that does not say".to_owned(),
        (None, _) => agent.chars().take(60).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_named_with_its_system() {
        let chrome =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36";
        assert_eq!(browser(chrome), "Chrome on Linux");
        assert_eq!(browser("curl/8.14.1"), "curl");
        assert_eq!(browser("something else"), "something else");
    }

    #[test]
    fn figures_are_grouped_and_instants_are_near_or_dated() {
        assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
        let now = Timestamp::default().plus_seconds(1_795_000_000);
        let ago = |seconds: i64| relative(now.plus_seconds(-seconds), now);
        assert_eq!([ago(3), ago(240), ago(7200), ago(90_000)], ["now", "4 min ago", "2 h ago", "yesterday"]);
        assert_eq!(
            [86_400, 5400, 300, 90, 2_592_000].map(span),
            ["1 day", "90 minutes", "5 minutes", "90 seconds", "30 days"]
        );
        assert_eq!([ago(-432_000), ago(40 * 86_400)], ["in 5 days", "9 Oct 2026"]);
    }
}
