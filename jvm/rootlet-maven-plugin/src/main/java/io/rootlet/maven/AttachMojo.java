// SPDX-License-Identifier: MIT
package io.rootlet.maven;

import java.util.ArrayList;
import java.util.List;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;

/**
 * Puts images into the project's jar, stored and aligned, so that they run out of it. Write the plugin
 * behind all that packs the jar (shade, assembly, jarsigner): goals of one phase run in the POM's order.
 */
@Mojo(name = "attach", defaultPhase = LifecyclePhase.PACKAGE, threadSafe = true)
public final class AttachMojo extends JarMojo {
  /** The images: {@code <image><file>tools/hmmer.AppImage</file><name>hmmer</name></image>}. */
  @Parameter(required = true)
  private List<Image> images;

  /** The machine they are for, as os-maven-plugin writes it. Without: this one. */
  @Parameter(property = "rootlet.classifier")
  private String classifier;

  /** Changes the jar itself, behind a journal: for jars too large to copy. */
  @Parameter(property = "rootlet.inPlace", defaultValue = "false")
  private boolean inPlace;

  @Override
  public void execute() throws MojoExecutionException {
    if (skipped()) return;
    List<String> words = new ArrayList<>(List.of("jar", "add", "--replace"));
    if (inPlace) words.add("--in-place");
    if (classifier != null) words.addAll(List.of("--classifier", classifier));
    words.add(jar().getAbsolutePath());
    for (Image image : images) {
      if (image.file() == null || !image.file().isFile()) {
        throw new MojoExecutionException("attach an image: " + image.file()
            + ": no such file\nhint: rootlet build makes images; <file> is relative to the project");
      }
      words.add(image.word());
    }
    RootletCommand.Done done = rootlet().run(words);
    if (done.status() != 0) throw new MojoExecutionException(done.text());
  }
}
