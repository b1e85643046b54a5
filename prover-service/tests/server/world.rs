//! Servers for tests: one over the shared scene, and fresh ones.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::transport::{Channel, ClientTlsConfig, Endpoint, Identity};
use vouchsafe_prover_service::config::{ClientCertificate, Config, TlsFiles};
use vouchsafe_prover_service::institution::Institution;
use vouchsafe_prover_service::node::Node;
use vouchsafe_prover_service::server::{ServeError, Server};
use vouchsafe_prover_service::telemetry::Metrics;

use super::pki::Authority;
use crate::program;
use crate::scene::{found, open, runtime, scene};

/// The name that may bring records.
pub const OPERATOR: &str = "ehr.hospital.test";

/// A server that runs.
pub struct World {
    pub node: Arc<Node>,
    pub address: SocketAddr,
    pub authority: Authority,
    pub data: PathBuf,
    runtime: Runtime,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<Result<(), ServeError>>>,
}

/// A server over the shared scene, started once.
pub fn shared() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let data = scene().institution.layout().identity().parent().unwrap().to_owned();
        start(data, Arc::clone(&scene().institution), "server-scene", |_| {})
    })
}

/// A server over an institution of its own.
pub fn fresh(name: &str, change: impl FnOnce(&mut Config)) -> World {
    let (data, _) = found(name);
    let institution = Arc::new(open(&data));
    start(data, institution, &format!("{name}-pki"), change)
}

/// A server over an institution that is open.
pub fn start(data: PathBuf, institution: Arc<Institution>, pki: &str, change: impl FnOnce(&mut Config)) -> World {
    let authority = Authority::new();
    let files = authority.write(&program::folder(pki));
    let mut config = Config { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..Config::default() };
    config.tls = Some(TlsFiles {
        certificate_file: files.certificate,
        key_file: files.key,
        client_ca_file: Some(files.clients),
        client_certificate: ClientCertificate::Required,
    });
    config.records.operators = vec![OPERATOR.to_owned()];
    change(&mut config);
    let runtime = runtime();
    let node = Arc::new(runtime.block_on(Node::new(institution, config, Metrics::new().unwrap())).unwrap());
    let server = runtime.block_on(Server::bind(Arc::clone(&node))).unwrap();
    let address = server.address();
    let (stop, stopped) = oneshot::channel();
    let task = runtime.spawn(server.run(async {
        let _ = stopped.await;
    }));
    World { node, address, authority, data, runtime, stop: Some(stop), task: Some(task) }
}

impl World {
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Runs something beside.
    pub fn spawn<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.runtime.spawn(future)
    }

    /// Where clients connect who show this certificate.
    pub fn endpoint(&self, identity: Option<Identity>) -> Endpoint {
        let mut tls = ClientTlsConfig::new().ca_certificate(self.authority.certificate()).domain_name("localhost");
        if let Some(identity) = identity {
            tls = tls.identity(identity);
        }
        let endpoint = Endpoint::from_shared(format!("https://{}", self.address)).unwrap();
        endpoint.tls_config(tls).unwrap().connect_timeout(Duration::from_secs(10))
    }

    /// A connection of a client with a certificate for this name.
    pub fn connect_as(&self, name: &str) -> Channel {
        let identity = self.authority.sign(name).identity();
        self.block_on(self.endpoint(Some(identity)).connect()).unwrap()
    }

    /// A connection of somebody.
    pub fn connect(&self) -> Channel {
        self.connect_as("insurer.test")
    }

    /// Tells the server to stop.
    pub fn tell_to_stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }

    /// How it ended; waits for it.
    pub fn ended(&mut self) -> Result<(), ServeError> {
        let task = self.task.take().unwrap();
        self.runtime.block_on(async { tokio::time::timeout(Duration::from_secs(60), task).await }).unwrap().unwrap()
    }
}
