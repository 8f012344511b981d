// SPDX-License-Identifier: MIT
package io.rootlet;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Memory of this JVM that can be executed as a file: memfd_create(2), by the foreign-function interface,
 * without JNI. By reflection: the interface is jdk.incubator.foreign in 17, where the JVM must be started
 * with --add-modules jdk.incubator.foreign, and java.lang.foreign from 22 on.
 */
final class Memfd {
  private static final int CLOSE_ON_EXEC = 1;

  private Memfd() {}

  /** What executes the program: its path in this JVM's descriptors, which ends with the JVM. */
  static List<String> make(byte[] program) throws IOException {
    int fd;
    try {
      fd = Runtime.version().feature() >= 22 ? createByStandard() : createByIncubator();
    } catch (Throwable e) {
      throw new IOException("this JVM lets no system call through (on 17: --add-modules jdk.incubator.foreign): "
          + e, e);
    }
    if (fd < 0) throw new IOException("memfd_create is refused");
    String path = "/proc/" + ProcessHandle.current().pid() + "/fd/" + fd;
    try (OutputStream out = Files.newOutputStream(Path.of(path))) {
      out.write(program);
    }
    return List.of(path);
  }

  private static int createByIncubator() throws Throwable {
    Class<?> linker = Class.forName("jdk.incubator.foreign.CLinker");
    Class<?> layout = Class.forName("jdk.incubator.foreign.MemoryLayout");
    Class<?> addressType = Class.forName("jdk.incubator.foreign.MemoryAddress");
    Class<?> addressable = Class.forName("jdk.incubator.foreign.Addressable");
    Class<?> scopeType = Class.forName("jdk.incubator.foreign.ResourceScope");
    Class<?> descriptor = Class.forName("jdk.incubator.foreign.FunctionDescriptor");
    Object intLayout = linker.getField("C_INT").get(null);
    Object pointer = linker.getField("C_POINTER").get(null);
    Object scope = scopeType.getMethod("newConfinedScope").invoke(null);
    try {
      Object text = linker.getMethod("toCString", String.class, scopeType).invoke(null, "rootlet-stub", scope);
      Object address = addressable.getMethod("address").invoke(text);
      Object array = java.lang.reflect.Array.newInstance(layout, 2);
      java.lang.reflect.Array.set(array, 0, pointer);
      java.lang.reflect.Array.set(array, 1, intLayout);
      Object shape = descriptor.getMethod("of", layout, array.getClass()).invoke(null, intLayout, array);
      Optional<?> symbol = (Optional<?>) Class.forName("jdk.incubator.foreign.SymbolLookup")
          .getMethod("lookup", String.class).invoke(linker.getMethod("systemLookup").invoke(null), "memfd_create");
      MethodType type = MethodType.methodType(int.class, addressType, int.class);
      Method downcall = linker.getMethod("downcallHandle", addressable, MethodType.class, descriptor);
      MethodHandle create = (MethodHandle) downcall.invoke(
          linker.getMethod("getInstance").invoke(null), symbol.orElseThrow(), type, shape);
      return (int) create.invokeWithArguments(address, CLOSE_ON_EXEC);
    } finally {
      scopeType.getMethod("close").invoke(scope);
    }
  }

  private static int createByStandard() throws Throwable {
    Class<?> linker = Class.forName("java.lang.foreign.Linker");
    Class<?> layout = Class.forName("java.lang.foreign.MemoryLayout");
    Class<?> values = Class.forName("java.lang.foreign.ValueLayout");
    Class<?> segment = Class.forName("java.lang.foreign.MemorySegment");
    Class<?> descriptor = Class.forName("java.lang.foreign.FunctionDescriptor");
    Class<?> optionType = Class.forName("java.lang.foreign.Linker$Option");
    Class<?> arenaType = Class.forName("java.lang.foreign.Arena");
    Object intLayout = values.getField("JAVA_INT").get(null);
    Object pointer = values.getField("ADDRESS").get(null);
    Object arena = arenaType.getMethod("ofAuto").invoke(null);
    Object text = Class.forName("java.lang.foreign.SegmentAllocator").getMethod("allocateFrom", String.class)
        .invoke(arena, "rootlet-stub");
    Object array = java.lang.reflect.Array.newInstance(layout, 2);
    java.lang.reflect.Array.set(array, 0, pointer);
    java.lang.reflect.Array.set(array, 1, intLayout);
    Object shape = descriptor.getMethod("of", layout, array.getClass()).invoke(null, intLayout, array);
    Object own = linker.getMethod("nativeLinker").invoke(null);
    Optional<?> symbol = (Optional<?>) Class.forName("java.lang.foreign.SymbolLookup")
        .getMethod("find", String.class).invoke(linker.getMethod("defaultLookup").invoke(own), "memfd_create");
    Object none = java.lang.reflect.Array.newInstance(optionType, 0);
    MethodHandle create = (MethodHandle) linker
        .getMethod("downcallHandle", segment, descriptor, none.getClass())
        .invoke(own, symbol.orElseThrow(), shape, none);
    return (int) create.invokeWithArguments(text, CLOSE_ON_EXEC);
  }
}
