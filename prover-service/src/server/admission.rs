//! Around every call: how many are open, how long one may take, what is counted and logged of it.
//!
//! ```text
//! deadline = the caller's grpc-timeout, at most limits.call_seconds (streams: until the answer begins; see `records`)
//! ```
//!
//! The log names method, code and time; of a call's content it sees nothing. Health and reflection pass without being
//! counted, so that a service that is full can still say that it lives.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::body::Body;
use tonic::codegen::http::{HeaderMap, Request, Response};
use tonic::{Code, Status};
use tower::{Layer, Service};

use super::limits::Counted;
use super::status;
use crate::config::Limits;
use crate::telemetry::Metrics;

/// Puts [`Admission`] around the services.
#[derive(Clone)]
pub(super) struct AdmissionLayer {
    limits: Limits,
    open: Arc<Semaphore>,
    metrics: Arc<Metrics>,
}

impl AdmissionLayer {
    pub(super) fn new(limits: Limits, metrics: Arc<Metrics>) -> AdmissionLayer {
        AdmissionLayer { limits, open: Arc::new(Semaphore::new(limits.open_calls_max as usize)), metrics }
    }

    /// Whether no call is open.
    pub(super) fn is_idle(&self) -> bool {
        self.open.available_permits() == self.limits.open_calls_max as usize
    }
}

impl<S> Layer<S> for AdmissionLayer {
    type Service = Admission<S>;

    fn layer(&self, inner: S) -> Admission<S> {
        Admission { inner, layer: self.clone() }
    }
}

/// The services behind their limits.
#[derive(Clone)]
pub(super) struct Admission<S> {
    inner: S,
    layer: AdmissionLayer,
}

type Answer<E> = Pin<Box<dyn Future<Output = Result<Response<Body>, E>> + Send>>;

impl<S> Service<Request<Body>> for Admission<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Answer<S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let path = request.uri().path().to_owned();
        if path.starts_with("/grpc.") {
            return Box::pin(self.inner.call(request));
        }
        let AdmissionLayer { limits, open, metrics } = self.layer.clone();
        let counters = metrics.call(&path).clone();
        counters.calls.increment(1);
        let Ok(place) = open.try_acquire_owned() else {
            metrics.turned_away.increment(1);
            return Box::pin(async move { Ok(status::overloaded(limits.retry_after()).into_http()) });
        };
        let open = Open(Arc::new((place, Counted::new(&metrics.open_calls))));
        request.extensions_mut().insert(open.clone());
        let began = Instant::now();
        let time = caller_timeout(request.headers()).map_or(limits.call(), |theirs| theirs.min(limits.call()));
        // made before the transport's own timer, which says CANCELLED
        let over = tokio::time::sleep(time);
        let answer = self.inner.call(request);
        Box::pin(async move {
            let response = tokio::select! {
                biased;
                response = answer => response?,
                () = over => status::too_late().into_http(),
            };
            let code = Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code());
            counters.ended(began.elapsed(), status::is_ours(code));
            tracing::info!(method = path, code = ?code, ms = began.elapsed().as_millis() as u64, "call");
            drop(open);
            Ok(response)
        })
    }
}

/// An open call's place, in the extensions of its request. A method that answers with a stream keeps it as long as the
/// stream lives.
#[derive(Clone)]
pub(super) struct Open(#[allow(dead_code)] Arc<(OwnedSemaphorePermit, Counted)>);

/// What the caller's `grpc-timeout` says: up to 8 digits and a unit.
fn caller_timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if number.is_empty() || number.len() > 8 || !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: u64 = number.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use tower::ServiceExt;

    use super::*;

    fn request(timeout: Option<&str>) -> Request<Body> {
        let request = Request::builder().uri("/vouchsafe.v1.Ledger/GetSeal");
        let request = timeout.into_iter().fold(request, |request, timeout| request.header("grpc-timeout", timeout));
        request.body(Body::empty()).unwrap()
    }

    fn layer(open_calls_max: u32) -> AdmissionLayer {
        let limits = Limits { open_calls_max, call_seconds: 2, ..Limits::default() };
        AdmissionLayer::new(limits, Arc::new(Metrics::new().unwrap()))
    }

    fn code(response: &Response<Body>) -> Code {
        Status::from_header_map(response.headers()).unwrap().code()
    }

    /// Services that never answer.
    fn never()
    -> impl Service<Request<Body>, Response = Response<Body>, Error = std::convert::Infallible, Future: Send + 'static>
    + Clone {
        tower::service_fn(|_: Request<Body>| std::future::pending())
    }

    #[tokio::test]
    async fn a_call_ends_at_the_callers_deadline_or_ours() {
        for (theirs, least, most) in
            [(Some("100m"), 100, 1_000), (Some("3H"), 2_000, 5_000), (Some("soon"), 2_000, 5_000), (None, 2_000, 5_000)]
        {
            let began = Instant::now();
            let response = layer(1).layer(never()).oneshot(request(theirs)).await.unwrap();
            assert_eq!(code(&response), Code::DeadlineExceeded);
            assert!((least..most).contains(&began.elapsed().as_millis()), "{theirs:?}");
        }
    }

    #[tokio::test]
    async fn open_calls_are_bounded_and_health_passes() {
        let layer = layer(1);
        let first = tokio::spawn(layer.layer(never()).oneshot(request(None)));
        while layer.is_idle() {
            tokio::task::yield_now().await;
        }
        let second = layer.layer(never()).oneshot(request(None)).await.unwrap();
        assert_eq!(code(&second), Code::ResourceExhausted);
        let health = Request::builder().uri("/grpc.health.v1.Health/Check").body(Body::empty()).unwrap();
        let passes = tower::service_fn(|_: Request<Body>| async {
            Ok::<_, std::convert::Infallible>(Response::new(Body::empty()))
        });
        assert!(layer.layer(passes).oneshot(health).await.is_ok());
        first.await.unwrap().unwrap();
        assert!(layer.is_idle());
    }

    #[test]
    fn timeouts_are_read_as_grpc_writes_them() {
        let read = |text: &str| caller_timeout(request(Some(text)).headers());
        assert_eq!(read("3H"), Some(Duration::from_secs(10_800)));
        assert_eq!(read("99999999H"), Some(Duration::from_secs(99_999_999 * 3600)));
        assert_eq!(read("5u"), Some(Duration::from_micros(5)));
        for bad in ["", "S", "100000000S", "-1S", "+1S", "1.5S", "1x", "5", "1 S", "1µ"] {
            assert_eq!(
                Request::builder().header("grpc-timeout", bad).body(()).ok().and_then(|r| caller_timeout(r.headers())),
                None,
                "{bad}"
            );
        }
    }
}
