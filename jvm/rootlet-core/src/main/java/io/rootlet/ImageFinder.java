// SPDX-License-Identifier: MIT
package io.rootlet;

import java.io.IOException;
import java.net.URL;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Finds images: in a jar (META-INF/rootlet/NAME/CLASSIFIER/NAME.AppImage), on the class path, in a file. */
final class ImageFinder {
  private static final String TOP = "META-INF/rootlet/";
  private static final int LEAST_API = 1;
  private final String name;
  private final String classifier = Machine.classifier();

  ImageFinder(String name) {
    this.name = name;
  }

  private String stem(String machine) {
    return TOP + name + "/" + machine + "/" + name;
  }

  private ToolException.Context context(String remedy) {
    return ToolException.Context.of(name, remedy);
  }

  /** A file that is an image as a whole: an AppImage or a squashfs. */
  Image inFile(Path path) {
    Path file = path.toAbsolutePath().normalize();
    try {
      return new Image(name, file, 0, Files.size(file), 0, "", "", Image.stampOf(file));
    } catch (NoSuchFileException e) {
      throw new ToolException.PayloadMissing(context("give the path of an AppImage or a squashfs"),
          file + ": there is no such file");
    } catch (IOException e) {
      throw new ToolException.PayloadCorrupt(context(""), file + ": it cannot be read", e);
    }
  }

  /** In a jar, which may itself be a stored entry of a jar: `nested` are the entries on the way. */
  Image inJar(Path path, List<String> nested) {
    Path jar = path.toAbsolutePath().normalize();
    String shown = nested.isEmpty() ? jar.toString() : jar + "!/" + String.join("!/", nested);
    try (FileChannel file = FileChannel.open(jar, StandardOpenOption.READ)) {
      String stamp = Image.stampOf(jar);
      JarReader reader = new JarReader(file, 0, file.size());
      for (String entry : nested) {
        JarReader.Entry inner = reader.find(entry::equals).get(entry);
        if (inner == null) throw new JarReader.Malformed("it holds no " + entry);
        if (!inner.stored()) throw compressed(shown);
        reader = new JarReader(file, inner.dataOffset(), inner.size());
      }
      return pick(reader, jar, shown, stamp);
    } catch (NoSuchFileException e) {
      throw new ToolException.PayloadMissing(context(""), jar + ": there is no such file");
    } catch (JarReader.Malformed e) {
      throw new ToolException.PayloadCorrupt(context("copy or build the jar again; rootlet jar verify " + jar),
          shown + ": " + e.getMessage(), e);
    } catch (IOException e) {
      throw new ToolException.PayloadCorrupt(context(""), shown + ": it cannot be read: " + e.getMessage(), e);
    }
  }

  private Image pick(JarReader reader, Path jar, String shown, String stamp) throws IOException {
    String own = TOP + name + "/";
    Map<String, JarReader.Entry> found = reader.find(entry -> entry.startsWith(own));
    Description description = description(reader, found);
    String path = description != null ? description.image() : stem(classifier) + ".AppImage";
    JarReader.Entry image = found.get(path);
    // A second name of an image is stored under the first.
    if (image == null && description != null) image = reader.find(path::equals).get(path);
    if (image == null) throw missing(found, shown);
    if (!image.stored()) throw compressed(shown);
    if (description != null && description.size() != image.size()) {
      throw new JarReader.Malformed(path + " has not the size that its description tells");
    }
    long stub = description == null ? 0 : description.squashfsOffset();
    return new Image(name, jar, image.dataOffset(), image.size(), stub,
        description == null ? "" : description.digest(), description == null ? "" : description.entry(), stamp);
  }

  private Description description(JarReader reader, Map<String, JarReader.Entry> found) throws IOException {
    JarReader.Entry entry = found.get(stem(classifier) + ".json");
    return entry == null ? null : describe(reader.read(entry));
  }

  private Description describe(String text) throws JarReader.Malformed {
    Map<String, Object> json;
    try {
      json = Json.object(text);
    } catch (IllegalArgumentException e) {
      throw new JarReader.Malformed("the description of " + name + " is " + e.getMessage());
    }
    long api = Json.number(json, "least_api", 1);
    if (api > LEAST_API) {
      throw new ToolException.LauncherFailed(context("take a newer rootlet-core"),
          "the image needs version " + api + " of this library's interface", null);
    }
    return new Description(Json.string(json, "image"), Json.number(json, "size", -1),
        Json.number(json, "squashfs_offset", 0), Json.string(json, "digest"), Json.string(json, "entry"));
  }

  private record Description(String image, long size, long squashfsOffset, String digest, String entry) {}

  /** From the class loader: whichever jar, or directory, holds it. */
  Image onClassPath(ClassLoader loader) {
    Map<String, URL> byDigest = new TreeMap<>();
    try {
      for (URL url : Collections.list(loader.getResources(stem(classifier) + ".json"))) {
        byDigest.put(digestIn(url), url);
      }
      // One that was put there without a description.
      if (byDigest.isEmpty()) {
        for (URL url : Collections.list(loader.getResources(stem(classifier) + ".AppImage"))) {
          byDigest.put(url.toString(), url);
        }
      }
    } catch (IOException e) {
      throw new ToolException.PayloadCorrupt(context(""), "the class path cannot be read", e);
    }
    if (byDigest.size() > 1) {
      throw new ToolException.PayloadAmbiguous(context("leave one of them on the class path, or name its jar:"
          + " Tool.fromJar(path, \"" + name + "\")"), "different images of this name: " + byDigest.values());
    }
    if (byDigest.isEmpty()) throw notOnClassPath(loader);
    return at(byDigest.values().iterator().next());
  }

  private String digestIn(URL url) throws IOException {
    java.net.URLConnection connection = url.openConnection();
    connection.setUseCaches(false);
    try (java.io.InputStream in = connection.getInputStream()) {
      String text = new String(in.readNBytes(1 << 20), java.nio.charset.StandardCharsets.UTF_8);
      String digest = describe(text).digest();
      return digest.isEmpty() ? url.toString() : digest;
    }
  }

  private Image at(URL url) {
    ResourcePlace place = ResourcePlace.of(url);
    if (place == null) {
      throw new ToolException.PayloadNotLocal(context("keep the jar in a file of each machine, and name it:"
          + " Tool.fromJar(path, \"" + name + "\")"), url + ": only images in local files can be run in place");
    }
    if (place.jarEntries().isEmpty()) return inDirectory(place.file());
    return inJar(place.file(), place.jarEntries().subList(0, place.jarEntries().size() - 1));
  }

  /** Of an exploded class path: `file` is the description, or the image. */
  private Image inDirectory(Path file) {
    Path image = file;
    if (file.toString().endsWith(".json")) {
      try {
        Path top = file;
        for (int i = 0; i < 5; i++) top = top.getParent(); // META-INF/rootlet/NAME/CLASSIFIER/FILE
        image = top.resolve(describe(Files.readString(file)).image());
      } catch (IOException e) {
        throw new ToolException.PayloadCorrupt(context(""), file + ": it cannot be read", e);
      }
    }
    return inFile(image);
  }

  private ToolException missing(Map<String, JarReader.Entry> found, String shown) {
    List<String> machines = found.keySet().stream().filter(entry -> entry.endsWith(".json"))
        .map(entry -> entry.split("/")[3]).distinct().sorted().toList();
    if (!machines.isEmpty() && !machines.contains(classifier)) return otherMachine(shown, machines);
    return new ToolException.PayloadMissing(context("rootlet jar add JAR " + name + "=IMAGE; rootlet jar list JAR"),
        shown + " holds no image of this name");
  }

  private ToolException notOnClassPath(ClassLoader loader) {
    List<String> machines = Machine.CLASSIFIERS.stream().filter(
        machine -> loader.getResource(stem(machine) + ".json") != null).toList();
    if (!machines.isEmpty()) return otherMachine("the class path", machines);
    return new ToolException.PayloadMissing(context("rootlet jar add JAR " + name + "=IMAGE, as the last step of"
        + " packaging"), "no " + stem(classifier) + ".json on the class path");
  }

  private ToolException otherMachine(String where, List<String> machines) {
    return new ToolException.ArchUnsupported(context("add an image for " + classifier),
        where + " holds it for " + String.join(", ", machines) + ", and this is " + classifier);
  }

  private ToolException compressed(String shown) {
    return new ToolException.PayloadCompressed(context("add it as the last step, after shade or assembly:"
        + " rootlet jar add --replace JAR " + name + "=IMAGE"),
        shown + " holds the image compressed, and only a stored one can be mounted");
  }
}
