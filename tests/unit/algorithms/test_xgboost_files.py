"""Which files of a channel are data, and how hosts tell one another something."""

import logging
import socket
import threading

import pytest

from clary.algorithms.xgboost import files, meeting
from clary.algorithms.xgboost.channels import check_channels, kind_of
from clary.toolkit.errors import AlgorithmError, UserError


def laid(folder, **contents):
    for name, text in contents.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_empty_files_and_marks_are_no_data(tmp_path):
    laid(tmp_path, part="1,2\n", empty="", _SUCCESS="", sub__part="3,4\n", sub__deep__part="5,6\n", _temporary="x")
    assert [path.name for path in files.files_in(tmp_path).paths] == ["part", "part", "part"]
    assert files.files_in(tmp_path).size == 12


def test_hidden_files_are_refused_and_deep_ones_left_out(tmp_path, caplog):
    laid(tmp_path, a__b__part="1,2\n", a__b__c__part="3,4\n")
    with caplog.at_level(logging.WARNING):
        assert len(files.files_in(tmp_path).paths) == 1
    assert "exceed the limit 3. Files in deeper sub dirs won't be loaded." in caplog.text
    (tmp_path / "a/.DS_Store").write_text("")
    with pytest.raises(UserError, match="Hidden file found in the data path"):
        files.files_in(tmp_path)


def test_a_folder_with_links_is_alone(tmp_path):
    found = files.files_in(laid(tmp_path, a="1,2\n", b="3,4\n"))
    with files.gathered(found) as folder:
        assert [path.name for path in folder.parent.iterdir()] == [folder.name]
        assert sorted(path.read_text() for path in folder.iterdir()) == ["1,2\n", "3,4\n"]
    assert not folder.parent.exists()


def test_what_is_no_csv_or_libsvm_is_said_by_its_first_line(tmp_path):
    with pytest.raises(UserError, match="Could not determine delimiter on line"):
        files.check_format(files.files_in(laid(tmp_path, part="\n1,2\n")), "csv")
    found = files.files_in(laid(tmp_path, part="label\n"))
    with pytest.raises(UserError, match=r"First line 'label\n...' of file 'part' is not 'LIBSVM' format"):
        files.check_format(found, "libsvm")
    files.check_format(files.files_in(laid(tmp_path, part="1:0.5 qid:2 3:1 4:2\n")), "libsvm")


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        (None, "libsvm"),
        ("csv", "csv"),
        ("text/csv; label_size=1; charset=utf8", "csv"),
        ("Text/X-LibSVM", "libsvm"),
        ("application/x-parquet", "parquet"),
        ("application/x-recordio-protobuf", "recordio-protobuf"),
    ],
)
def test_content_types(content_type, kind):
    assert kind_of(content_type) == kind


def test_pipes_bring_no_libsvm():
    check_channels({"train": {"TrainingInputMode": "Pipe", "ContentType": "text/csv"}})
    with pytest.raises(UserError, match="Pipe mode not supported for LibSVM"):
        check_channels({"train": {"TrainingInputMode": "Pipe"}})


def free_port(host):
    with socket.create_server((host, 0)) as taken:
        return taken.getsockname()[1]


def test_hosts_learn_every_word_whoever_comes_first():
    hosts = ["127.0.0.2", "127.0.0.3", "127.0.0.4"]
    port = free_port(hosts[0])
    heard = {}

    def attend(host):
        heard[host] = meeting.meet(hosts, host, port, {"from": host})

    threads = [threading.Thread(target=attend, args=(host,)) for host in reversed(hosts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert heard == {host: {other: {"from": other} for other in hosts} for host in hosts}


def test_a_host_that_leaves_is_told_of():
    hosts = ["127.0.0.2", "127.0.0.3"]
    port = free_port(hosts[0])
    failures = []

    def preside():
        try:
            meeting.meet(hosts, hosts[0], port, True)
        except AlgorithmError as error:
            failures.append(str(error))

    thread = threading.Thread(target=preside)
    thread.start()
    connection = meeting._connected(hosts[0], port)
    connection.close()
    thread.join(60)
    assert failures == ["The connection to a host ended while the hosts gathered."]
