// SPDX-License-Identifier: MIT
package io.rootlet;

import java.util.ArrayList;
import java.util.List;

/**
 * A command in plain words that starts a tool out of a jar on any machine that has the jar: in the current
 * directory, below it, at the path where this JVM has it, or on the class path of the process that starts
 * it. The words bring the launcher to life by themselves, from the image's own front part.
 */
final class PortableCommand {
  // Finds the jar, copies the front part of the image into memory, becomes it. Arguments: the jar's name
  // and path, offset, length, length of the front part, number of memfd_create; then the words of the run.
  private static final String PERL = """
      use strict; use POSIX (); my ($name, $path, $at, $size, $front) = splice(@ARGV, 0, 5);
      my $machine = (POSIX::uname())[4]; my %calls = (x86_64 => 319, aarch64 => 279);
      my @places = ("./$name", glob("./*/$name"), $path);
      if (open(my $line, "<", "/proc/" . getppid() . "/cmdline")) { local $/; push @places, grep { m{/\\Q$name\\E$} }
        map { split /:/ } split /\\0/, <$line>; }
      my ($jar) = grep { -f $_ && -s $_ >= $at + $size } @places;
      if (!defined $jar) { print STDERR "rootlet: find the jar: $name: it is not here (@places)\\n"; exit 125 }
      open(my $in, "<:raw", $jar) or die; sysseek($in, $at, 0); my $left = $front; my $label = "rootlet-stub";
      my $fd = syscall($calls{$machine} || 319, $label, 1);
      if ($fd < 0) { print STDERR "rootlet: start the launcher: memfd_create: $!\\n"; exit 125 }
      open(my $out, ">&=", $fd) or die; binmode $out;
      while ($left > 0) { my $got = sysread($in, my $part, $left < 65536 ? $left : 65536) or die "rootlet: $jar: $!";
        for (my $n = 0; $n < $got;) { $n += syswrite($out, $part, $got - $n, $n) or die } $left -= $got }
      exec {"/proc/self/fd/$fd"} "rootlet", "--rootlet-image=$jar\\@$at:$size", @ARGV;
      print STDERR "rootlet: start the launcher: $!\\n"; exit 125;
      """;

  private PortableCommand() {}

  static List<String> words(Image image, ToolCommand command) {
    if (image.stubLength() <= 0) {
      throw new ToolException.LauncherFailed(ToolException.Context.of(image.name(),
          "put it into a jar: rootlet jar add JAR " + image.name() + "=IMAGE"),
          "a portable command needs an AppImage in a jar, with its description", null);
    }
    List<String> words = new ArrayList<>(List.of("perl", "-e", PERL, image.file().getFileName().toString(),
        image.file().toString(), String.valueOf(image.offset()), String.valueOf(image.length()),
        String.valueOf(image.stubLength())));
    words.add("--rootlet-die-with-parent");
    for (String option : Launch.options("", command)) {
      if (!option.startsWith("--rootlet-image=")) words.add(option);
    }
    words.addAll(command.arguments());
    return words;
  }
}
