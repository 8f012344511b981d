// SPDX-License-Identifier: MIT
package io.rootlet.maven;

import java.io.File;
import org.apache.maven.artifact.Artifact;
import org.apache.maven.plugin.AbstractMojo;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugins.annotations.Parameter;
import org.apache.maven.project.MavenProject;

/** What both goals are told: which jar, which rootlet. */
abstract class JarMojo extends AbstractMojo {
  @Parameter(defaultValue = "${project}", readonly = true, required = true)
  private MavenProject project;

  /** The jar. Without: the project's own, as the steps before this one left it. */
  @Parameter(property = "rootlet.jar")
  private File jar;

  /** Which of the project's attached jars, such as shade's with `shadedArtifactAttached`. */
  @Parameter(property = "rootlet.jarClassifier")
  private String jarClassifier;

  /** The rootlet command. */
  @Parameter(property = "rootlet.program", defaultValue = "rootlet")
  private String program;

  /** Does nothing. */
  @Parameter(property = "rootlet.skip", defaultValue = "false")
  private boolean skip;

  boolean skipped() {
    if (skip) getLog().info("skipped: rootlet.skip");
    return skip;
  }

  RootletCommand rootlet() {
    return new RootletCommand(program, getLog());
  }

  File jar() throws MojoExecutionException {
    File found = jar != null ? jar : jarClassifier != null ? attached() : project.getArtifact().getFile();
    if (found == null || !found.isFile()) {
      throw new MojoExecutionException("find the jar: " + (found == null ? project.getId() : found)
          + ": there is none yet\nhint: bind this goal to the phase package or a later one, behind what makes the jar");
    }
    return found;
  }

  private File attached() throws MojoExecutionException {
    for (Artifact artifact : project.getAttachedArtifacts()) {
      if (jarClassifier.equals(artifact.getClassifier())) return artifact.getFile();
    }
    throw new MojoExecutionException("find the jar: the project has none with the classifier " + jarClassifier);
  }
}
