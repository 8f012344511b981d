// SPDX-License-Identifier: MIT
package app;

/** What a project holds besides its images. */
public final class Main {
  private Main() {}

  public static void main(String[] words) {
    System.out.println("it starts");
  }
}
