// SPDX-License-Identifier: MIT
package io.rootlet.maven;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.logging.Log;

/** The `rootlet` command, of which one reads and writes jars: so all of them are the same. */
final class RootletCommand {
  private final String program;
  private final Log log;

  RootletCommand(String program, Log log) {
    this.program = program;
    this.log = log;
  }

  /** What it said on stdout and stderr, line by line, and how it ended. */
  record Done(int status, List<String> lines) {
    String text() {
      return String.join("\n", lines);
    }
  }

  /** Runs `rootlet WORDS`; what it says goes to Maven's log as it comes. */
  Done run(List<String> words) throws MojoExecutionException {
    List<String> command = new ArrayList<>(List.of(program));
    command.addAll(words);
    log.debug(command.toString());
    List<String> lines = new ArrayList<>();
    Process process;
    try {
      process = new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException e) {
      throw new MojoExecutionException("start " + program + ": " + e.getMessage()
          + "\nhint: put rootlet on the PATH, or say where it is with -Drootlet.program=FILE", e);
    }
    try (BufferedReader out = new BufferedReader(
             new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      process.getOutputStream().close();
      for (String line = out.readLine(); line != null; line = out.readLine()) {
        lines.add(line);
        log.info(line);
      }
      return new Done(process.waitFor(), lines);
    } catch (IOException e) {
      throw new MojoExecutionException("read what " + program + " says: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new MojoExecutionException(program + " was interrupted", e);
    } finally {
      process.destroy();
    }
  }
}
