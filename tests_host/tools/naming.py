"""Gives the names of the package others that cost a board less; made.py uses it.

A private name becomes one that every firmware has in its tables already; two that no object can have both become the
same one. Parameters that callers give by position are called alike in every function. The names that a file says most
come first in its table, where one byte tells which it is.
"""

import ast
import collections
import itertools
import re

import parts
import reference

# Names that MicroPython has on every board. Those of the first row are part of the format of .mpy files, where they
# take two bytes; of the others the heap is spared the text. None means something on an object that a program is handed.
FIRMWARE = """
ArithmeticError AssertionError BaseException EOFError Ellipsis GeneratorExit IndentationError LookupError NameError
NoneType NotImplementedError OverflowError RuntimeError StopIteration SyntaxError SystemExit ZeroDivisionError bytecode
builtins classmethod dir divmod eval exec from_bytes globals isalpha islower isspace issubclass isupper iter little
locals main micropython popitem reverse rindex round setdefault sort staticmethod to_bytes

pi rb GS8 INT PTR RAW cos erf exp inf log nan sin tan tau AUTO GZIP INT8 LONG UINT VOID ZLIB acos asin atan blit ceil
cosh erfc fabs fmod log2 mem8 mkfs modf poly real rect seed sinh sqrt tanh ARRAY EPERM INT16 INT32 INT64 MVLSB SHORT
UINT8 ULONG acosh asinh atan2 atanh chdir cmath crc32 expm1 floor frexp gamma heapq hline isinf isnan ldexp log10 mem16
mem32 mkdir phase pixel polar rmdir trunc uname union viper vline BFINT8 BF_LEN BF_POS EEXIST EISDIR ENOENT NATIVE
RGB565 UINT64 USHORT VfsFat getcwd gmtime lgamma mktime native scroll sha256 sizeof umount BFINT16 BFINT32 BFUINT8
FLOAT32 FLOAT64 VfsLfs2 deflate degrees deleter ellipse fromhex heapify heappop indices maxsize radians randint statvfs
uniform urandom BFUINT16 BFUINT32 GS2_HMSB GS4_HMSB KeyError LockType bytes_at calcsize copysign framebuf fromkeys
heappush ilistdir isfinite issubset kbd_intr libc_ver mem_free mem_info platform progsize readsize DeflateIO MONO_HLSB
MONO_HMSB MONO_VLSB ULONGLONG byteorder cryptolib errorcode factorial fill_rect frozenset get_ident heap_lock isenabled
localtime lookahead mem_alloc opt_level pack_into qstr_info randrange stack_use threshold ticks_cpu BIG_ENDIAN
LITTLE_ENDIAN duty_ns duty_u16 read_u16 SoftI2C SoftSPI writeto readfrom writevto unique_id bitstream
readfrom_mem writeto_mem bootloader lightsleep soft_reset reset_cause PWRON_RESET WDT_RESET dht_readinto time_pulse_us
""".split()
# What is part of the format too, but is a built-in function or a method of a built-in type: names for attributes and
# methods that no object of the package has otherwise.
BUILT_IN = """
abs all append bool bytearray callable chr clear copy count dict end endswith extend find format get getattr hasattr
hash id index insert int isdigit isinstance items join key keys len list lower lstrip map object ord pop pow print range
remove replace repr rfind rsplit rstrip sep set setattr sorted split startswith stop str strip sum super throw tuple
type upper values zip
""".split()
# What files of the package say of each other's objects, and no program does: renamed like private names.
INNER = """
abandon abort absent accepted account ack again all_taken ANSWER_MS answered arrived ask ask_for attach attached bare
become behind bit borders bring_up broken Buffered came CaOpen capability CaRecv Channel check check_address check_modem
check_number check_pin check_text CipOpen CipStart closing command COMMANDS configure CONNECT_MS connected context_check
context_down context_setting context_up counted counts critical cursor cut DatagramLink deaf define describe desync dial
DIALECT displace DNS Doubt doubt drop echoed empty Endpoint equip errno_of errors exclusive expect explained extra fail
feed fields filler first fitting flat flushing flying forget former free gave_up GETTERS give_back gone got guard
handler head heard held hello hold hooks hungry hurry identity inline InlineParser innocent inquire interrupted kept
kind known LACKS last late lend linger Link link LinkKind LinkTable listener LISTS load loader long losses marks masked
may_wait method Modem more moved mute named NAMES naming nap nap_ms need number OFF on_answer on_end on_head on_line
on_lost on_prompt on_read on_silent on_trailer once other outcome owed own Parser parser parting parts passed pause
pending perhaps place polled pool position power power_down power_up prepare press prompt prompted proto Pump pushed
PushParser put query quiet raising READ READ_MAX read_max read_sent reader reading ready RECEIVER receiver recheck
reclaim_ms recovery refusal refusals refuse refused REGISTERED REGISTRATION registration release remember renewed report
reported resolved RESTART restarts ring ring_size RingPool rings running rxget rxget_n seconds SEND sending serve
SETTERS setting SETTINGS settings settle_send settle_strays shut silence sink skip span spare spoilt stage stale
STALL_MS start_only steps stray strays suffix suspect switch tail take TcpIp ticking told total touched toward
transmit tried turning twice tx_n unacked upward urcs usual voltage want watch watcher went whose without wording due
rate rests lost
""".split()
SHORT = ["_" + a + b for a in ("", *"abcdefghij") for b in "abcdefghijklmnopqrstuvwxyz"]  # when these are used up
PARAMETERS = "end key sep stop pow ord sum map zip hash id".split()  # are in the format of .mpy files too
ON_HOST = ("peer", "record", "run")  # of tests_device: what is no program on a board
FOREMOST = 126  # so many names does one byte tell apart


def private(name):
    """Whether nobody outside the package says this name."""
    return name in INNER or name[:1] == "_" and name[1:2] not in ("_", "")


class Renamed(ast.NodeTransformer):
    """Gives names others; of attributes too when `everywhere`. A name of BUILT_IN is for what belongs to objects alone:
    variables that were called alike keep their name."""

    def __init__(self, names, everywhere=False):
        self.names = names
        self.everywhere = everywhere
        self.inside = set()

    def visit_ClassDef(self, node):
        self.inside.update(map(id, belonging(node)))
        return self.generic_visit(node)

    def generic_visit(self, node):
        for field in ("id", "name", "arg", "asname", "attr") if self.everywhere else ("id", "name"):
            if isinstance(node, (ast.alias, ast.arg)) and not self.everywhere:
                break
            value = getattr(node, field, None)
            if isinstance(value, str) and value in self.names:
                name = self.names[value]
                if name not in BUILT_IN or field == "attr" or id(node) in self.inside:
                    setattr(node, field, name)
        if isinstance(node, ast.Global):
            node.names = [self.names.get(name, name) for name in node.names]
        return super().generic_visit(node)


def methods(node):
    """The methods of a class."""
    return [each for each in node.body if isinstance(each, ast.FunctionDef)]


def called(node, name):
    """Whether it is the call of a method of that name."""
    return isinstance(node, ast.Call) and getattr(node.func, "attr", "") == name


def written(node):
    """Whether it is a name or an attribute that is written."""
    return isinstance(getattr(node, "ctx", None), ast.Store)


def classes(trees):
    """Every class."""
    return [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]


def related(found):
    """{class: name of its kin}, which are all that have a base in common."""
    kin = {node.name: node.name for node in found}

    def of(name):
        while kin.setdefault(name, name) != name:
            name = kin[name]
        return name

    for node in found:
        for base in node.bases:
            kin[of(getattr(base, "attr", getattr(base, "id", "")))] = of(node.name)
    return {name: of(name) for name in list(kin)}


def owned(trees):
    """{name: the kin whose objects have it}, of attributes and methods that no other code gives to objects, and of what
    is one file's alone."""
    found = classes(trees)
    kin = related(found)
    said = collections.Counter(itertools.chain.from_iterable(map(identifiers, trees)))
    nodes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    times = collections.Counter(node.attr for node in nodes if isinstance(node.ctx, ast.Load))
    owners = {}
    for node in found:
        here = [each.name for each in methods(node)]
        lines = [each for each in node.body if isinstance(each, (ast.Assign, ast.AnnAssign))]
        here += [part.id for each in lines for part in ast.walk(each) if isinstance(part, ast.Name)]
        inside = filter(written, itertools.chain.from_iterable(map(ast.walk, methods(node))))
        here += [part.attr for part in inside if ast.unparse(getattr(part, "value", part)) == "self"]
        times.update(here)
        for name in here:
            owners.setdefault(name, set()).add(kin[node.name])
    result = {name: kins for name, kins in owners.items() if times[name] == said[name]}
    for tree in trees:
        result.update((name, {id(tree)}) for name, n in variables(tree).items() if n == said[name])
    return result


def variables(tree):
    """{name: how often it is said}, of a file's variables, functions and classes that no class reads in its body."""
    blocks = [node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    bare = [part for node in tree.body if node not in blocks for part in ast.walk(node)]
    own = {node.name for node in blocks} | {part.id for part in bare if isinstance(part, ast.Name) and written(part)}
    lines = [line for node in classes([tree]) for line in node.body if not isinstance(line, ast.FunctionDef)]
    own -= {part.id for line in lines for part in ast.walk(line) if isinstance(part, ast.Name)}
    said = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)] + [node.name for node in blocks]
    return {name: n for name, n in collections.Counter(said).items() if name in own}


def shared(names, owners):
    """Groups of names that can be the same one, in the order of `names`; `owners` of owned()."""
    groups = []  # (names, kin)
    for name in names:
        kins = owners.get(name, set())
        fitting = [group for group in groups if group[1] and kins and not group[1] & kins]
        if not fitting:
            groups.append(([], set()))
        group = (fitting or groups[-1:])[0]
        group[0].append(name)
        group[1].update(kins)
    return [group for group, _ in groups]


def identifiers(tree):
    """Every identifier, one by one."""
    for node in ast.walk(tree):
        for field in ("id", "attr", "name", "arg", "asname"):
            if isinstance(getattr(node, field, None), str):
                yield getattr(node, field)


def folded(tree):
    """The names of constants, of which the compiler leaves nothing."""
    lines = [node for node in tree.body if isinstance(node, ast.Assign)]
    found = [node for node in lines if getattr(getattr(node.value, "func", None), "id", "") == "const"]
    return {target.id for node in found for target in node.targets}


def shortened(trees, first):
    """{private name: one that costs less}, `first`: how much a file counts, where not 1."""
    files = {}
    kept, taken, own = set(), set(), set()
    for path in (parts.TREE / "tests_device").rglob("*.py"):  # which look into what they test
        if path.stem in ON_HOST:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        kept.update(node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    for name, tree in trees.items():
        split = {id(node.func.value) for node in ast.walk(tree) if called(node, "split")}
        for text in parts.strings(tree):
            word = re.fullmatch(r"\w+| [\w ]+ ", text.value)
            if word or id(text) in split or parts.is_table(text.value):  # else it is for people
                kept.update(text.value.split())
        names = set(identifiers(tree))
        taken |= names
        for each in filter(private, names):
            files.setdefault(each, set()).add(name)
        for node in ast.walk(tree):
            if written(node) or isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                own.update(getattr(node, field) for field in ("id", "attr", "name") if hasattr(node, field))
        kept.update(folded(tree))

    def weight(names):
        """What one name in place of these counts: in each file that has one of them."""
        return sum(first.get(file, 1) for file in set().union(*(files[name] for name in names)))

    old = sorted(files.keys() & own - kept, key=lambda name: (-weight([name]), name))
    groups = sorted(shared(old, owned(trees.values())), key=lambda group: -weight(group))
    plain, members = bare(trees.values())
    short = [name for name in BUILT_IN if name not in members]
    free = [name for name in FIRMWARE + SHORT if name not in taken | kept]
    found = {}
    for group in groups:
        words = free if not short or plain.intersection(group) else short
        found.update(dict.fromkeys(group, words.pop(0)))
    return found


def belonging(node):
    """The nodes that give the objects of a class its methods and attributes."""
    lines = [getattr(line, "targets", [getattr(line, "target", line)]) for line in node.body]
    return [each for each in itertools.chain(*lines) if isinstance(each, (ast.Name, ast.FunctionDef))]


def bare(trees):
    """(names that stand somewhere without an object in front, other than variables of functions; names of what objects
    of the package have)"""
    plain, members = set(), set()
    for tree in trees:
        inside = set()
        for node in classes([tree]):
            inside.update(map(id, belonging(node)))
            members.update(getattr(each, "id", getattr(each, "name", "")) for each in belonging(node))

        def visit(node, local, inside=inside):
            if isinstance(node, ast.FunctionDef):
                nodes = [each for each in ast.walk(node) if each is not node]
                local = local | {each.id for each in filter(written, nodes) if isinstance(each, ast.Name)}
                local |= {each.arg for each in nodes if isinstance(each, ast.arg)}
                local |= {each.name for each in nodes if isinstance(each, ast.ExceptHandler)}
                local -= {name for each in nodes if isinstance(each, ast.Global) for name in each.names}
            if isinstance(node, ast.Attribute) and written(node):
                members.add(node.attr)
            elif not isinstance(node, ast.keyword) and id(node) not in inside:
                plain.update({getattr(node, field, None) for field in ("id", "name", "asname")} - local)
            for child in ast.iter_child_nodes(node):
                visit(child, local)

        visit(tree, frozenset())
    return plain, members


def given(trees):
    """The names by which callers give arguments."""
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {keyword.arg for call in calls for keyword in call.keywords}


def public(trees):
    """The names of what programs call."""
    return set(re.findall(r"(?m)^### `(\w+)", reference.text(trees))) | set(reference.table(trees, "_METHODS"))


def unnamed(tree, kept, public):
    """Call parameters alike, but those in `kept` and those of functions in `public`."""
    for node in ast.walk(tree):
        for each in methods(node) if isinstance(node, (ast.ClassDef, ast.Module)) else ():
            made = each.name[:2] == "__" and not private(getattr(node, "name", ""))  # an object, by programs perhaps
            if not made and each.name not in public:
                said = set(identifiers(each))
                free = (name for name in PARAMETERS if name not in said)
                found = {arg.arg: next(free) for arg in each.args.args if arg.arg not in kept | {"self"}}
                each.args.args = [ast.arg(found.get(arg.arg, arg.arg)) for arg in each.args.args]
                for part in itertools.chain.from_iterable(map(ast.walk, each.body)):
                    if isinstance(part, ast.Name) and part.id in found:
                        part.id = found[part.id]
    return tree


def referred(node, local=frozenset()):
    """Every name that the code of a syntax tree refers to, each time; those of variables it does not."""
    if isinstance(node, ast.ClassDef):
        yield from (node.name, node.name, node.name, "__module__", "__name__", "__qualname__")
    if isinstance(node, ast.FunctionDef):
        yield from (node.name, node.name)
        yield from (arg.arg for arg in ast.walk(node.args) if isinstance(arg, ast.arg))
        local = local | {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and written(part)}
        local |= {arg.arg for arg in ast.walk(node.args) if isinstance(arg, ast.arg)}
        local |= {part.name for part in ast.walk(node) if isinstance(part, ast.ExceptHandler) and part.name}
        local -= {name for part in ast.walk(node) if isinstance(part, ast.Global) for name in part.names}
    if isinstance(node, ast.alias):
        yield from (node.asname or node.name, node.name, node.name)
    if isinstance(node, ast.keyword):
        yield node.arg
    said = getattr(node, "attr", getattr(node, "id", None))
    if said and said not in local:
        yield said
    for field, value in ast.iter_fields(node):
        if field not in ("annotation", "returns"):  # of which the compiler leaves nothing
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from referred(child, local)


def foremost(text):
    """The text of a file whose table has the names in front that it says most. They stand in code that never runs, of
    which the compiler leaves some bytes and the names in this order."""
    tree = ast.parse(text)
    times = collections.Counter(referred(tree, folded(tree) | {"const"}))
    if len(times) < FOREMOST:
        return text
    names = [name for name, n in times.most_common(FOREMOST) if n > 1]
    return "while True:\n    break\n    None.%s\n%s" % (".".join(names), text)
