use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use gatewarden_credentials::{GatewayCredential, Token};
use gatewarden_types::{Entropy, Id, Organization};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{ControlPlane, Trouble, disk::draft};

/// The file that an enrolment is kept in, in a folder of its own.
const FILE: &str = "enrolment.json";

/// That an organization has let this gateway in. One gateway may have several, one for each organization it serves.
#[derive(Debug)]
pub struct Enrolment {
    /// Whose trail it follows.
    pub organization: Id<Organization>,
    /// What it shows.
    pub credential: Arc<GatewayCredential>,
    /// Where the control plane is.
    pub control: Url,
    /// The folder that is its own.
    pub folder: PathBuf,
}

/// As it stands in the file, which is for its owner alone.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    organization: Id<Organization>,
    control: Url,
    credential: String,
}

/// Enrols with a token: makes a secret that stays here, and keeps it in a folder in `data` once the control plane has taken
/// its digest.
///
/// # Errors
/// When the token cannot be used, or the secret cannot be kept; the token is used up in the latter case.
pub async fn enroll(
    control: &ControlPlane,
    token: &GatewayCredential,
    data: &Path,
    entropy: &Entropy,
) -> Result<Enrolment, EnrolError> {
    let gateway = token.gateway();
    let folder = data.join(gateway.to_string());
    // Before the token is used up, so that a folder that cannot be made costs nothing.
    fs::create_dir_all(&folder).map_err(|bad| EnrolError::Folder(folder.clone(), bad))?;
    let credential = Arc::new(GatewayCredential::new(gateway, Token::generate(entropy)));
    let organization = control.enroll(token, credential.verifier()).await?.organization;
    let enrolment = Enrolment { organization, credential, control: control.url().clone(), folder };
    enrolment.write().map_err(|bad| EnrolError::Folder(enrolment.folder.clone(), bad))?;
    Ok(enrolment)
}

/// Why enrolling failed.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The control plane did not let it in.
    #[error(transparent)]
    Trouble(#[from] Trouble),
    /// What belongs to it cannot be kept.
    #[error("{} cannot be written: {}", .0.display(), .1)]
    Folder(PathBuf, io::Error),
}

impl Enrolment {
    fn write(&self) -> io::Result<()> {
        let Self { organization, credential, control, folder } = self;
        let credential = credential.text().expose().clone();
        let written = Written { organization: *organization, control: control.clone(), credential };
        let mut draft = draft(folder)?;
        draft.write_all(&serde_json::to_vec_pretty(&written)?)?;
        draft.as_file().sync_all()?;
        draft.persist(folder.join(FILE)).map_err(|bad| bad.error)?;
        fs::File::open(folder)?.sync_all()
    }

    fn read(folder: PathBuf) -> io::Result<Self> {
        let Written { organization, control, credential } = serde_json::from_slice(&fs::read(folder.join(FILE))?)?;
        let credential = Arc::new(credential.parse().map_err(io::Error::other)?);
        Ok(Self { organization, credential, control, folder })
    }

    /// Removes it and all that is beside it: the gateway was removed, and has nothing more to hand over.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn forget(&self) -> io::Result<()> {
        fs::remove_dir_all(&self.folder)
    }
}

/// What is found in a data folder.
#[derive(Debug, Default)]
pub struct Enrolments {
    /// The organizations that have let this gateway in, one enrolment each.
    pub usable: Vec<Enrolment>,
    /// What cannot be used, and why.
    pub problems: Vec<String>,
}

impl Enrolments {
    fn add(&mut self, folder: &Path) {
        match Enrolment::read(folder.to_owned()) {
            Ok(enrolment) => match self.usable.iter().find(|other| other.organization == enrolment.organization) {
                Some(other) => self.problems.push(format!(
                    "{} is let in by {} as the newer {} is, which is used: delete this folder",
                    folder.display(),
                    enrolment.organization,
                    other.folder.display()
                )),
                None => self.usable.push(enrolment),
            },
            Err(bad) => self.problems.push(format!("{} cannot be read: {bad}", folder.join(FILE).display())),
        }
    }
}

/// The enrolments in a data folder. A folder without one, such as an enrolment that failed left, is passed over, and one
/// that cannot be used holds up no other.
///
/// # Errors
/// When the folder cannot be read.
pub fn enrolments(data: &Path) -> io::Result<Enrolments> {
    let folders = match fs::read_dir(data) {
        Ok(folders) => folders,
        Err(bad) if bad.kind() == io::ErrorKind::NotFound => return Ok(Enrolments::default()),
        Err(bad) => return Err(bad),
    };
    let mut found: Vec<PathBuf> = folders.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    found.retain(|folder| folder.join(FILE).is_file());
    // The newest first: it is the one that its organization knows, where another was removed.
    found.sort();
    found.reverse();
    let mut enrolments = Enrolments::default();
    for folder in &found {
        enrolments.add(folder);
    }
    Ok(enrolments)
}
