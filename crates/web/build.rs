//! Gathers the two third-party things that the console serves: htmx and the Lucide icons it uses.
//!
//! They come from `node_modules` through the lock file. Where they cannot be had the build goes on, says so,
//! and the console does without: it is plain forms and links underneath.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, error::Error, fs, io, thread};

/// The icons that templates and places name; a test compares the two.
#[rustfmt::skip]
const ICONS: &[&str] = &[
    "arrow-down",
    "arrow-up",
    "ban",
    "book-open",
    "boxes",
    "building-2",
    "calendar",
    "check",
    "chevron-down",
    "chevron-left",
    "chevron-right",
    "chevrons-up-down",
    "circle-alert",
    "circle-check",
    "circle-x",
    "clock",
    "copy",
    "corner-down-left",
    "ellipsis",
    "external-link",
    "eye",
    "flask-conical",
    "house",
    "info",
    "key-round",
    "lock",
    "log-out",
    "mail",
    "menu",
    "monitor",
    "moon",
    "pause",
    "play",
    "plug",
    "plus",
    "rotate-cw",
    "scroll-text",
    "search",
    "send",
    "server",
    "settings",
    "shield-check",
    "sun",
    "terminal",
    "trash-2",
    "triangle-alert",
    "user-round",
    "users",
    "x",
    "zap",
];

const HTMX: &str = "htmx.org/dist/htmx.min.js";
const ICON_FOLDER: &str = "lucide-static/icons";
const NPM_TIME: Duration = Duration::from_mins(1);

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../..");
    for watched in ["static", "templates", "package-lock.json"] {
        println!("cargo::rerun-if-changed={}", root.join(watched).display());
    }
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=GATEWARDEN_WITHOUT_NPM");

    let modules = find_modules(&root, &out);
    let htmx = modules.as_deref().and_then(|from| fs::read(from.join(HTMX)).ok());
    let (sprite, icons_found) = sprite(modules.as_deref());
    let mut missing = Vec::new();
    if htmx.is_none() {
        missing.push("htmx");
    }
    if !icons_found {
        missing.push("icons");
    }
    if !missing.is_empty() {
        println!(
            "cargo::warning=built without {}: pages work, but plainly. With npm: npm ci --ignore-scripts, then build again",
            missing.join(" and ")
        );
    }
    fs::write(out.join("htmx.min.js"), htmx.unwrap_or_default())?;
    fs::write(out.join("icons.svg"), sprite)?;
    fs::write(
        out.join("gathered.rs"),
        format!("const MISSING_PARTS: &[&str] = &{missing:?};\nconst ICON_NAMES: &[&str] = &{ICONS:?};\n"),
    )?;
    Ok(())
}

/// The folder of installed packages: the project's own, or else one filled by npm below `out`.
fn find_modules(root: &Path, out: &Path) -> Option<PathBuf> {
    if env::var_os("GATEWARDEN_WITHOUT_NPM").is_some() {
        return None;
    }
    let own = root.join("node_modules");
    if is_whole(&own) {
        println!("cargo::rerun-if-changed={}", own.join(HTMX).display());
        return Some(own);
    }
    let copy = out.join("npm");
    let installed = copy.join("node_modules");
    let same_lock = fs::read(copy.join("package-lock.json")).ok() == fs::read(root.join("package-lock.json")).ok();
    if is_whole(&installed) && same_lock {
        return Some(installed);
    }
    match install(root, &copy) {
        Ok(()) if is_whole(&installed) => Some(installed),
        Ok(()) => None,
        Err(error) => {
            println!("cargo::warning=npm ci did not succeed: {error}");
            None
        }
    }
}

fn is_whole(modules: &Path) -> bool {
    modules.join(HTMX).is_file() && modules.join(ICON_FOLDER).is_dir()
}

#[expect(clippy::disallowed_methods, reason = "a build script has no runtime to wait on")]
fn install(root: &Path, copy: &Path) -> io::Result<()> {
    fs::create_dir_all(copy)?;
    for file in ["package.json", "package-lock.json"] {
        fs::copy(root.join(file), copy.join(file))?;
    }
    let mut npm = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" })
        .args(["ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund"])
        .current_dir(copy)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let started = Instant::now();
    loop {
        if let Some(status) = npm.try_wait()? {
            return if status.success() { Ok(()) } else { Err(io::Error::other(status.to_string())) };
        }
        if started.elapsed() > NPM_TIME {
            npm.kill()?;
            npm.wait()?;
            return Err(io::Error::new(io::ErrorKind::TimedOut, "gave up after 60 s"));
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// One SVG with a symbol for each icon, and whether every icon was found.
fn sprite(modules: Option<&Path>) -> (String, bool) {
    let read = |name: &&str| {
        let drawing = fs::read_to_string(modules?.join(ICON_FOLDER).join(format!("{name}.svg"))).ok()?;
        let inner = inside(&drawing)?;
        Some(format!("<symbol id=\"{name}\" viewBox=\"0 0 24 24\">{inner}</symbol>"))
    };
    let symbols: Vec<_> = ICONS.iter().filter_map(read).collect();
    let whole = symbols.len() == ICONS.len();
    let open = "<svg xmlns=\"http://www.w3.org/2000/svg\"><!-- Lucide, ISC licence -->";
    (format!("{open}{}</svg>", symbols.concat()), whole)
}

/// What stands between the outer `<svg …>` and `</svg>`, on one line.
fn inside(svg: &str) -> Option<String> {
    let (_, rest) = svg.split_once("<svg")?;
    let (_, rest) = rest.split_once('>')?;
    let (inner, _) = rest.split_once("</svg>")?;
    Some(inner.lines().map(str::trim).collect())
}
