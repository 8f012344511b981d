// SPDX-License-Identifier: MIT
package io.rootlet.maven;

import java.util.List;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;

/** Fails the build if an image of the jar cannot run, and says which later step did that to it. */
@Mojo(name = "verify", defaultPhase = LifecyclePhase.VERIFY, threadSafe = true)
public final class VerifyMojo extends JarMojo {
  @Override
  public void execute() throws MojoExecutionException, MojoFailureException {
    if (skipped()) return;
    RootletCommand.Done done = rootlet().run(List.of("jar", "verify", jar().getAbsolutePath()));
    if (done.status() == 1) throw new MojoFailureException("an image of the jar cannot run:\n" + done.text());
    if (done.status() != 0) throw new MojoExecutionException(done.text());
  }
}
