"""Scripts import the public toolkits' modules by their names, and find what those find."""

TRAINING = """\
import sagemaker_containers
from sagemaker_training import environment
from sagemaker_containers.beta.framework import env, mapping, modules, training_env

found = environment.Environment()
print("hosts", found.hosts, training_env().current_host, found["channel_input_dirs"])
print("top", sagemaker_containers.training_env().hosts)
print("hyperparameters", environment.read_hyperparameters()["trees"], found.hyperparameters)
print("variables", found.to_env_vars()["num_gpus"], found.to_cmd_args())
print("mapped", mapping.to_env_vars({"a": [1]}), mapping.to_cmd_args({"lr": 0.1, "e": {"b": 2}}))
print("modules", modules.exists("json"), modules.exists("no_such"), modules.has_requirements("/opt/ml/code"))
"""

SERVING = """\
from sagemaker_containers.beta.framework import content_types, encoders, env, modules, transformer, worker
from sagemaker_inference import encoder, errors


def model_fn(folder):
    return 2


def input_fn(body, content_type):
    if content_type == "text/x-none":
        raise errors.UnsupportedFormatError(content_type)
    return transformer.default_input_fn(body, content_type)


def predict_fn(data, model):
    return data * model


def output_fn(prediction, accept):
    if accept == content_types.CSV:
        return worker.Response(encoders.encode(prediction, accept), mimetype=accept)
    if accept == content_types.NPY:
        return transformer.default_output_fn(prediction, accept)
    return encoder.encode(prediction, accept), accept
"""


def test_training_script_reads_its_surroundings(opt, sklearn_python):
    opt.write("inputdataconfig.json", {"train": {"TrainingInputMode": "File"}})
    opt.script(TRAINING, trees=7)
    done = opt.train(sklearn_python)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "hosts ['algo-1'] algo-1 {'train': '" in done.stdout
    assert "hyperparameters 7 {'trees': 7}" in done.stdout
    assert "variables 0 ['--trees', '7']" in done.stdout
    assert "mapped {'SM_A': '[1]'} ['-e', 'b=2', '--lr', '0.1']" in done.stdout
    assert "modules True False False" in done.stdout
    assert "top ['algo-1']" in done.stdout


def test_inference_script_decodes_encodes_and_refuses(opt, serve, sklearn_python):
    (opt.base / "model/code").mkdir()
    (opt.base / "model/code/inference.py").write_text(SERVING)
    server = serve(sklearn_python)
    assert server.invoke("1,2\n3,4", accept="text/csv")[:2] == (200, b"2.0,4.0\n6.0,8.0\n")
    assert server.invoke("[1, 2]", "application/json")[:2] == (200, b"[2, 4]")
    assert server.invoke("[1, 2]", "application/json", accept="application/x-npy")[1].startswith(b"\x93NUMPY")
    status, said, _ = server.invoke("", "text/x-none")
    assert (status, b"is not supported by this framework" in said) == (415, True)
