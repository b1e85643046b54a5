"""A stock gRPC client: no file of the project but the certificates; messages come from reflection.

    python3 client.py HOST:PORT     in a folder with request.json, evidence.json, other.json and certificates
"""
import json
import sys

import grpc
from google.protobuf import descriptor_pool, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase


def read(name):
    with open(name, "rb") as file:
        return file.read()


credentials = grpc.ssl_channel_credentials(read("clients.pem"), read("client.key"), read("client.pem"))
channel = grpc.secure_channel(sys.argv[1], credentials)
database = ProtoReflectionDescriptorDatabase(channel)
pool = descriptor_pool.DescriptorPool(database)


def method(service, name):
    found = pool.FindServiceByName(service).FindMethodByName(name)
    request = message_factory.GetMessageClass(found.input_type)
    response = message_factory.GetMessageClass(found.output_type)
    make = channel.stream_stream if found.client_streaming else channel.unary_unary
    call = make(
        f"/{service}/{name}",
        request_serializer=request.SerializeToString,
        response_deserializer=response.FromString,
    )
    return request, call


def code_of(action):
    try:
        action()
    except grpc.RpcError as error:
        return error
    raise SystemExit("the call went through")


said = {"services": sorted(database.get_services())}
request, check = method("grpc.health.v1.Health", "Check")
said["health"] = check(request(service="vouchsafe.v1.Verifier"), timeout=20).status

request, verify = method("vouchsafe.v1.Verifier", "Verify")
for name, file in [("own", "request.json"), ("other", "other.json")]:
    verdict = verify(request(request=read(file), evidence=read("evidence.json")), timeout=20)
    said[name] = {"valid": verdict.valid, "check": verdict.check}

error = code_of(lambda: verify(request(request=b"[]", evidence=b"[]"), timeout=20))
said["bad"] = error.code().name
details = dict(error.trailing_metadata())["grpc-status-details-bin"]
said["reason"] = "BAD_FIELD" if b"BAD_FIELD" in details and b"vouchsafe.v1" in details else "none"

request, commit = method("vouchsafe.v1.Records", "Commit")
said["denied"] = code_of(lambda: list(commit(iter([request(name="a", source="ehr")]), timeout=20))).code().name

request, seal = method("vouchsafe.v1.Ledger", "GetSeal")
said["height"] = seal(request(), timeout=20).height
print(json.dumps(said))
