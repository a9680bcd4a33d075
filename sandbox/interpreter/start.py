# Run as: python3 -I -S -B -c THIS MODULE SCRIPT ARGUMENT...
# MODULE is a name, a newline and the source of a module that scripts can import. Where NACRE_SLOT is set,
# SCRIPT and what follows come with the call, and what comes before it is all that happens before it.
import builtins
import gc
import os
import site
import sys
import types


def make_module(text):
    name, _, source = text.partition("\n")
    if name:
        module = sys.modules[name] = types.ModuleType(name)
        exec(compile(source, f"<{name}>", "exec"), module.__dict__)


def take_call(library, connection):
    import ctypes
    take = ctypes.CDLL(f"/proc/self/fd/{library}").nacre_take_call
    take.argtypes, take.restype = (ctypes.c_int, ctypes.POINTER(ctypes.c_size_t)), ctypes.c_void_p
    size = ctypes.c_size_t()
    call = ctypes.string_at(take(int(connection), ctypes.byref(size)), size.value)
    count, *texts = os.fsdecode(call).split("\0")[:-1]
    os.environ.clear()
    os.environ.update(text.split("=", 1) for text in texts[int(count):])
    return texts[:int(count)]


def main():
    make_module(sys.argv[1])
    # Packages can be imported; code that they want run at every start (.pth, sitecustomize) is not.
    sys.path += filter(os.path.isdir, site.getsitepackages())
    site.setquit()
    argv = sys.argv[2:]
    if "NACRE_SLOT" in os.environ:
        gc.collect()
        gc.freeze()  # what is there now need not be looked through again, at the latest at the end
        argv = take_call(*os.environ["NACRE_SLOT"].split())
    sys.argv[:] = argv
    sys.path.insert(0, os.path.dirname(argv[0]))
    script = sys.modules["__main__"] = types.ModuleType("__main__")
    script.__builtins__, script.__file__ = builtins, argv[0]
    with open(argv[0], "rb") as file:
        code = compile(file.read(), argv[0], "exec", dont_inherit=True)
    exec(code, script.__dict__)


main()
