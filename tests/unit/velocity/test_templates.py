"""Templates render as Velocity 1.7 does."""

from __future__ import annotations

from typing import Any

import pytest

from clary.velocity import TemplateError, parse


def render(text: str, **variables: Any) -> str:
    return parse(text).render(variables)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$x ${x}y $!x", "5 5y 5"),
        ("$none $!none ${none} $!{none}|", "$none  ${none} |"),
        ("$m.a $m['a'] ${m.a} $m.get('a') $m.none", "1 1 1 1 $m.none"),
        ("$l[0]$l.get(1)$l[-1] $l.size()", "102030 3"),
        ("cost: $5 and 100% #1 # $", "cost: $5 and 100% #1 # $"),
        (r"\$x \#if", "$x #if"),
        ("a## comment\nb#* more\n *#c", "ab" + "c"),
        ("#[[ $x #if ]]#", " $x #if "),
        ("#set($y = $x + 1)$y", "6"),
        ("#set($m.b = 'two')$m.b #set($m['c'] = 3)$m.c", "two 3"),
        ("#set($x = $none)$x", "5"),
        ("#if($x == 5)yes#{else}no#end", "yes"),
        ("#if($x > 5)a#elseif($x >= 5)b#{else}c#end", "b"),
        ("#if($none)a#{else}b#end#if(!$none)c#end", "bc"),
        ("#if('' && 0)true#end", "true"),
        ("#foreach($i in $l)$i#if($foreach.hasNext),#end#end", "10,20,30"),
        ("#foreach($i in $l)$foreach.index$velocityCount #end", "01 12 23 "),
        ("#foreach($i in $l)#if($i == 20)#break#end$i#end.", "10."),
        ("#foreach($i in $m.keySet())$i=$m.get($i)#end", "a=1"),
        ("#foreach($e in $m.entrySet())$e.key:$e.value#end", "a:1"),
        ("#foreach($i in [3..1])$i#end", "321"),
        ("#macro(twice $a)$a$a#end#twice('x')#twice($x)", "xx55"),
        ("#define($d)[$x]#end$d", "[5]"),
        ("a#{stop}b", "a"),
        ("$m $l [1,2] true", "{a=1} [10, 20, 30] [1,2] true"),
        ('#set($s = "x=$x ${m.a}")$s', "x=5 1"),
        ("#set($s = 'x=$x')$s", "x=$x"),
        ('#set($s = "say ""hi""")$s', 'say "hi"'),
        ("#set($h = {'k': [1, 2.50, true, null]})$h.k", "[1, 2.5, true, null]"),
        ("#set($s = 'a' + 1 + 2)$s", "a12"),
        ("#set($s = 7 / 2)$s #set($s = -7 / 2)$s #set($s = -7 % 3)$s", "3 -3 -1"),
        ("#set($s = 7.0 / 2)$s", "3.5"),
        ("#if(1 == '1' and 2 ne 3 or false)y#end", "y"),
        ("#if(not true || !(1 < 2))y#{else}n#end", "n"),
        ("$big $small $ten", "1.0E10 1.0E-5 10.0"),
    ],
)
def test_renders(text: str, expected: str) -> None:
    values: dict[str, Any] = {"x": 5, "m": {"a": 1}, "l": [10, 20, 30], "big": 1e10, "small": 1e-5, "ten": 10.0}
    assert render(text, **values) == expected


def test_a_directive_alone_on_its_line_leaves_no_line() -> None:
    assert render('{\n#set($a = 1)\n#if($a)\n  "a": $a\n#end\n}') == '{\n  "a": 1\n}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$s.length() $s.isEmpty() $s.toUpperCase()", "11 false HELLO WORLD"),
        ("$s.substring(6) $s.substring(0, 5) $s.indexOf('o') $s.lastIndexOf('o')", "world hello 4 7"),
        (
            "$s.replace('l', 'L') $s.replaceAll('l+', '<$0>') $s.replaceFirst('o', '0')",
            "heLLo worLd he<ll>o wor<l>d hell0 world",
        ),
        ("$s.replaceAll('(\\w+) (\\w+)', '$2 $1')", "world hello"),
        ("$s.matches('h.* [a-z]+') $s.matches('h') $s.contains('lo w')", "true false true"),
        (
            "$s.split(' ') $s.split('') $s.split('o', 2)",
            "[hello, world] [h, e, l, l, o,  , w, o, r, l, d] [hell,  world]",
        ),
        (
            "$s.startsWith('he') $s.endsWith('x') $s.equals('x') $s.equalsIgnoreCase('HELLO WORLD')",
            "true false false true",
        ),
        (
            "$l.add(4)$l $l.contains(2) $l.indexOf(3) $l.subList(1, 3) $l.isEmpty()",
            "true[1, 2, 3, 4] true 2 [2, 3] false",
        ),
        (
            "$m.put('b', 2)$m $m.containsKey('b') $m.values() $m.size() $!m.remove('a') $m",
            "$m.put('b', 2){a=1, b=2} true [1, 2] 2 1 {b=2}",
        ),
        ("$i.parseInt('7') $n.toString() $n.intValue()", "7 2.5 2"),
    ],
)
def test_methods(text: str, expected: str) -> None:
    assert render(text, s="hello world", l=[1, 2, 3], m={"a": 1}, i=0, n=2.5) == expected


@pytest.mark.parametrize(
    "text",
    [
        "#if($x)",
        "#end",
        "#set($x 1)",
        "#set($x = )",
        "#foreach($x of $y)#end",
        "${x",
        '#set($x = "a)',
        "#include('/etc/passwd')",
        "#parse('x')",
        "#evaluate('x')",
    ],
)
def test_what_is_no_template_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(TemplateError, match=r"line 1, column \d+"):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "$s.__class__()",
        "$s.getClass()",
        "$s.format('x')",
        "$l.__init__()",
        "$s.substring(5, 1)",
        "$l.get(9)",
        "$s.length(1)",
        "#set($l.x = 1)",
        "#set($n.x = 1)",
        "#set($y = {} + 1)",
        "#set($y = 9223372036854775807 + 1)",
        "$s.replaceAll('(?=x)', 'y')",
        "$s.replaceAll('[a', 'y')",
        "$s.replaceAll('l', '$1')",
    ],
)
def test_what_there_is_not_is_an_error(text: str) -> None:
    with pytest.raises(TemplateError):
        render(text, s="hello", l=[1])


def test_nothing_of_python_is_reached() -> None:
    assert render("$s.__class__ $m.__dict__ $l.append $m.items", s="x", m={}, l=[]) == (
        "$s.__class__ $m.__dict__ $l.append $m.items"
    )
