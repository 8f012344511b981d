// SPDX-License-Identifier: MIT
package io.rootlet;

import java.nio.charset.StandardCharsets;
import java.util.List;

/** How a run ended, and all that it wrote to stdout. */
public record ToolOutput(ToolResult result, byte[] bytes) {

  public String text() {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  public List<String> lines() {
    return text().lines().toList();
  }
}
