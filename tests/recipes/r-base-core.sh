# SPDX-License-Identifier: MIT
# R: /usr/lib/R and /etc/R, alternatives for BLAS and LAPACK, packages in
# /usr/lib/R/library and /usr/lib/R/site-library, a shell script that starts it.
compares="lm, rlm, lda, glm, k-means, a PDF; R's own paths"
data_packages=()
data_files=()

prepare() {
  cat > analyse.R <<'R'
fit <- lm(mpg ~ wt + hp, data = mtcars)
print(summary(fit))
library(MASS)
print(rlm(stack.loss ~ ., stackloss))
print(lda(Species ~ ., iris))
print(summary(glm(cbind(ncases, ncontrols) ~ agegp, data = esoph, family = binomial())))
set.seed(1)
print(kmeans(iris[, 1:4], 3)$size)
write.csv(residuals(fit), "residuals.csv")
pdf("plots.pdf")
par(mfrow = c(2, 2))
plot(fit)
hist(MASS::galaxies, main = "galaxies")
invisible(dev.off())
cat(R.home(), .libPaths(), extSoftVersion()[["BLAS"]], Sys.getenv("R_LIBS"), sep = "\n")
R
}

run() {
  tool Rscript analyse.R > analyse.out
  tool R --vanilla --quiet -e 'sessionInfo()$R.version$version.string' > version.out
}

# The day in the PDF's header.
normalise() { sed -E '/^\/(CreationDate|ModDate) /d'; }

poison() { poison_r MASS; }
control=(Rscript -e 'library(MASS)')

check() {
  inspect /usr/bin/Rscript - <<'R'
library(MASS)
fit <- lm(mpg ~ wt, mtcars)
lines <- readLines("/proc/self/maps")
mapped <- unique(sub("^[^/]*/", "/", grep("/", lines, value = TRUE, fixed = TRUE)))
device <- function(path) system2("/usr/bin/stat", c("-c", "%d", shQuote(path)), stdout = TRUE)
foreign <- mapped[device(mapped) != device("/usr")]
stopifnot(any(grepl("/libc.so.6", mapped)), any(grepl("/MASS.so", mapped)), any(grepl("/libblas.so.3", mapped)))
cat(length(mapped), "mapped files,", length(foreign), "not of the image\n")
cat(foreign)
quit(status = length(foreign) > 0)
R
}
