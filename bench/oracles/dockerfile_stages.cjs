// Prints, for each path on standard input, what dockerfile-ast finds in that file, as JSON.
const fs = require("fs");
const { DockerfileParser } = require("dockerfile-ast");

function read(path) {
  const args = {};
  const stages = [];
  for (const line of DockerfileParser.parse(fs.readFileSync(path, "utf8")).getInstructions()) {
    const keyword = line.getKeyword();
    const last = stages[stages.length - 1];
    if (keyword === "FROM") {
      stages.push({ image: line.getImage(), name: line.getBuildStage(), from: [] });
    } else if (keyword === "ARG" && !last) {
      const given = line.getProperty();
      if (given) args[given.getName()] = given.getValue();
    } else if (keyword === "COPY" && last) {
      for (const flag of line.getFlags()) if (flag.getName() === "from") last.from.push(flag.getValue());
    } else if (keyword === "RUN" && last) {
      for (const flag of line.getFlags()) {
        if (flag.getName() !== "mount") continue;
        for (const option of flag.getOptions()) if (option.getName() === "from") last.from.push(option.getValue());
      }
    }
  }
  return { args, stages };
}

const paths = fs.readFileSync(0, "utf8").split("\n").filter(Boolean);
for (const path of paths) console.log(JSON.stringify(read(path)));
