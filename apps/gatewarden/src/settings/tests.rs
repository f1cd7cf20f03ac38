use super::{reader::Mistake, *};

fn sources(environment: &[(&str, &str)], flags: &[(&'static str, &str)]) -> Sources {
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let flags = flags.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Sources { file: None, environment, flags }
}

struct File(tempfile::TempDir);

impl File {
    fn of(text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("g.toml"), text).expect("writes");
        Self(folder)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("g.toml")
    }

    fn with(&self, mut sources: Sources) -> Sources {
        sources.file = Some(self.path());
        sources
    }
}

/// With an empty file, so that none is looked for in the folder the tests run in.
fn load(environment: &[(&str, &str)], flags: &[(&'static str, &str)]) -> Result<Settings, Mistakes> {
    Settings::load(&File::of("").with(sources(environment, flags)))
}

fn mistakes(environment: &[(&str, &str)], flags: &[(&'static str, &str)]) -> Vec<Mistake> {
    load(environment, flags).expect_err("cannot be taken").0
}

#[test]
fn without_a_word_it_is_sqlite_on_loopback() {
    let settings = load(&[], &[]).expect("the defaults are good");
    assert_eq!(settings.data, PathBuf::from("./data"));
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.gateway_listen.to_string(), "127.0.0.1:8081");
    assert_eq!(settings.console_url(settings.listen).expect("a URL").as_str(), "http://127.0.0.1:8080/");
    assert!(settings.postgres.is_none() && settings.mail.is_none() && settings.allow_private.0.is_empty());
}

// proves LL-078
#[test]
fn a_flag_wins_over_the_environment_over_the_file_over_the_default() {
    let file = File::of("data = \"of-file\"\nlisten = \"127.0.0.1:1\"\n[gateway]\nlisten = \"127.0.0.1:2\"\n");
    let environment = [("GATEWARDEN__LISTEN", "127.0.0.1:3"), ("GATEWARDEN__GATEWAY__LISTEN", "127.0.0.1:4")];
    let sources = file.with(sources(&environment, &[("gateway.listen", "127.0.0.1:5")]));
    let settings = Settings::load(&sources).expect("all good");
    assert_eq!(settings.data, PathBuf::from("of-file"));
    assert_eq!((settings.listen.port(), settings.gateway_listen.port()), (3, 5));
    assert_eq!(settings.limits.open_organizations, 64);
}

#[test]
fn every_mistake_is_told_at_once_with_where_it_came_from() {
    let file = File::of("lisen = \"127.0.0.1:1\"\n[limits]\nhashing = 0\n[log]\nformat = [\"json\"]\n");
    let sources = file.with(sources(
        &[
            ("GATEWARDEN__MAIL__FROM", "nobody"),
            ("GATEWARDEN__UPSTREAMS__ALLOW_PRIVATE", "10.0.0.0/8,ten"),
            ("GATEWARDEN_SECRET_KEY", "short"),
        ],
        &[("gateway.listen", "everywhere")],
    ));
    let told = Settings::load(&sources).expect_err("cannot be taken");
    let origins: Vec<_> = told.0.iter().map(|one| one.origin.clone()).collect();
    for origin in [
        "flag --gateway-listen",
        "environment variable GATEWARDEN__MAIL__FROM",
        "environment variable GATEWARDEN__UPSTREAMS__ALLOW_PRIVATE",
        "environment variable GATEWARDEN_SECRET_KEY",
    ] {
        assert!(origins.iter().any(|one| one == origin), "{origin} is not in {origins:?}");
    }
    let of_file = |one: &&String| **one == format!("file {}", file.path().display());
    assert_eq!(origins.iter().filter(of_file).count(), 3, "{origins:?}");
    let text = told.to_string();
    assert!(text.starts_with("7 settings cannot be taken:") && text.contains("Did you mean listen"), "{text}");
    assert!(text.contains("from 1 to 256") && text.contains("gateway.listen = \"everywhere\""), "{text}");
}

#[test]
fn a_file_that_is_no_toml_hides_nothing_else() {
    let file = File::of("listen = ");
    let told = Settings::load(&file.with(sources(&[], &[("data", " ")]))).expect_err("cannot be taken");
    assert_eq!(told.0.len(), 2, "{told}");
    let missing = Sources { file: Some(PathBuf::from("no/such.toml")), ..Sources::default() };
    assert!(Settings::load(&missing).expect_err("cannot be taken").to_string().contains("no such file"));
}

#[test]
fn secrets_are_not_repeated() {
    let told = load(
        &[("GATEWARDEN_SECRET_KEY", "hunter2"), ("GATEWARDEN__MAIL__SMTP_URL", "hunter2")],
        &[("database.url", "mysql://hunter2@host/db")],
    );
    let text = format!("{0}{0:?}", told.expect_err("cannot be taken"));
    assert!(!text.contains("hunter2"), "{text}");
    let key = "ab".repeat(32);
    let settings = load(&[("GATEWARDEN_SECRET_KEY", &key)], &[("database.url", "postgres://u:hunter2@h/d")]);
    let text = format!("{:?}", settings.expect("all good"));
    assert!(!text.contains("hunter2") && !text.contains(&key), "{text}");
}

#[test]
fn plain_http_beyond_loopback_is_refused() {
    for address in ["0.0.0.0:8080", "192.168.1.2:8080", "[::]:8080", "[::ffff:10.0.0.1]:8080"] {
        let told = mistakes(&[], &[("listen", address)]);
        assert!(told[0].message.contains("in the open") && told[0].origin == "flag --listen", "{address}");
        assert_eq!(mistakes(&[], &[("gateway.listen", address), ("listen", "127.0.0.1:1")]).len(), 1, "{address}");
    }
    for address in ["127.0.0.2:8080", "[::1]:8080", "localhost:8080", "[::ffff:127.0.0.1]:8080"] {
        assert!(load(&[], &[("listen", address)]).is_ok(), "{address}");
    }
    let url = ("public_url", "https://gatewarden.example.com");
    assert!(load(&[], &[("listen", "0.0.0.0:8080"), url]).is_err(), "a name alone protects nothing");
    let proxied =
        [("listen", "0.0.0.0:8080"), ("gateway.listen", "0.0.0.0:8081"), url, ("trusted_proxies", "10.0.0.7")];
    assert!(load(&[], &proxied).is_ok());
}

#[test]
fn a_certificate_protects_the_console_and_not_the_gateway() {
    let file = File::of("");
    let path = file.path().display().to_string();
    let tls = [("tls.certificate", path.as_str()), ("tls.key", path.as_str()), ("listen", "10.0.0.1:8080")];
    let settings = load(&[], &tls).expect("all good");
    assert_eq!(settings.console_url(settings.listen).expect("a URL").as_str(), "https://10.0.0.1:8080/");
    let open = [tls[0], tls[1], ("gateway.listen", "10.0.0.1:8081")];
    assert!(mistakes(&[], &open)[0].message.contains("gateway speaks plain HTTP"));
    assert!(mistakes(&[], &[tls[0]])[0].message.contains("--tls-key"));
    assert!(mistakes(&[], &[tls[1]])[0].message.contains("--tls-cert"));
    assert!(mistakes(&[], &[("tls.key", "/no/such"), tls[0]])[0].message.contains("no such file"));
}

#[test]
fn addresses_are_read_strictly() {
    for bad in ["http://gatewarden.example.com", "ftp://x", "https://x/path", "https://x?y", "https://u:p@x", "x"] {
        assert!(load(&[], &[("public_url", bad)]).is_err(), "{bad}");
    }
    for good in ["https://gatewarden.example.com", "http://localhost:8080", "http://127.0.0.1:9/"] {
        assert!(load(&[], &[("public_url", good)]).is_ok(), "{good}");
    }
    assert!(load(&[], &[("gateway.listen", "127.0.0.1:8080")]).is_err(), "the console is there");
}

#[test]
fn postgres_needs_the_secret_from_the_environment() {
    let url = ("database.url", "postgres://app:x@127.0.0.1/gatewarden");
    assert!(mistakes(&[], &[url])[0].message.contains("openssl rand -hex 32"));
    let key = "ab".repeat(32);
    let one = load(&[("GATEWARDEN_SECRET_KEY", &key)], &[url]).expect("all good");
    assert!(one.postgres.is_some_and(|both| both.owner.expose() == both.serving.expose()));
    let owner = ("GATEWARDEN_DATABASE_OWNER_URL", "postgres://owner:x@127.0.0.1/gatewarden");
    let two = load(&[("GATEWARDEN_SECRET_KEY", &key), owner], &[url]).expect("all good");
    assert!(two.postgres.is_some_and(|two| two.owner.expose().contains("owner")));
    assert!(load(&[owner], &[]).is_err(), "an owner without a serving login");
}

#[test]
fn mail_needs_a_server_and_a_sender() {
    let smtp = ("GATEWARDEN__MAIL__SMTP_URL", "smtps://u:p@mail.example.com");
    assert!(mistakes(&[smtp], &[])[0].message.contains("mail.from"));
    assert!(load(&[smtp, ("GATEWARDEN__MAIL__FROM", "g@example.com")], &[]).expect("all good").mail.is_some());
}
